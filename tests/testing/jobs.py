"""Jobs made of samples, and a workshop that gets what it lacks: what a client does, without an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Answer, Lacking
from dev_agent.cluster.frozen import NamedFile
from dev_agent.cluster.job import Job, Parcel, Rules, read_job
from dev_agent.cluster.lock import freeze
from dev_agent.cluster.parcel import commit_bytes
from dev_agent.cluster.tool import tool_version
from dev_agent.cluster.workshop import Workshop
from dev_agent.gates.subject import Subject
from dev_agent.sandbox.profile import load_profile, shipped
from tests.gates.samples import Sample
from tests.testing.repos import Project


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A job, and the bytes of everything it names."""

    job: Job
    content: Mapping[str, bytes] = field(repr=False)

    def but(self, **changes: Any) -> Ask:
        """The same with other fields."""
        return replace(self, job=replace(self.job, **changes))


def ask_of(sample: Sample, subject: Subject, gate: str, **changes: Any) -> Ask:
    """What a client would ask about a staged tree of `sample`."""
    gates = sample.gates()
    project = gates.project
    frozen = freeze(project.interpreter, project.installed, project.root)
    bundles = bundles_of(sample.project, subject)
    included = [path for path in (target for target, _ in project.shown) if path.is_file()]
    files = {path: path.read_bytes() for path in included if path.is_relative_to(project.root)}
    content = {sha256: path.read_bytes() for sha256, path in frozen.sources.items()}
    content.update({digest(one): one for one in (*bundles, *files.values())})
    job = Job(
        gate=gate,
        base_tree=subject.base_tree,
        tree=subject.tree,
        changed=subject.changed,
        root=str(project.root),
        repository=digest(str(project.root).encode()),
        object_format="sha1",
        environment=frozen.environment,
        interpreter=str(project.interpreter.path),
        prefix=str(project.interpreter.prefix) if project.interpreter.is_venv else "",
        project=project.digest,
        tool=tool_version(),
        rules=Rules(**{name: getattr(sample.rules, name) for name in Rules.__slots__}),
        must_pass=sample.must_pass,
        profile=load_profile(shipped("default")),
        files=tuple(
            NamedFile(path=path.relative_to(project.root).as_posix(), sha256=digest(data), size=len(data))
            for path, data in sorted(files.items())
        ),
        objects=tuple(Parcel(sha256=digest(one), size=len(one)) for one in bundles),
    )
    return Ask(job=replace(job, **changes), content=content)


def bundles_of(project: Project, subject: Subject) -> tuple[bytes, ...]:
    """A bundle of the base tree, and one of the judged tree on top of it."""
    base = _bundle(project, subject.base_tree)
    return (
        (base,)
        if subject.tree == subject.base_tree
        else (base, _bundle(project, subject.tree, subject.base_tree))
    )


def answer_with(
    workshop: Workshop, ask: Ask, cancel: Cancel | None = None, *, sender: str = "test"
) -> Answer:
    """Ask, ship what is lacking, ask again; the job goes through its written form."""
    job = read_job(ask.job.to_bytes())
    answer = workshop.answer(job, cancel or Cancel())
    while isinstance(answer, Lacking):
        for sha256 in answer.digests:
            reply = ship(workshop, sha256, ask.content[sha256], sender=sender)
            assert reply.isdigit(), reply.decode()
        lacked, answer = answer, workshop.answer(job, cancel or Cancel())
        assert answer != lacked, "what was shipped is lacking still"
    return answer


def ship(workshop: Workshop, sha256: str, data: bytes, *, sender: str = "test") -> bytes:
    """Send a file in pieces; the last reply."""
    reply, step = b"", 1 << 20
    for offset in range(0, max(len(data), 1), step):
        reply = workshop.take(sha256, sender, offset, len(data), data[offset : offset + step])
    return reply


def digest(data: bytes) -> str:
    """The sha256, hex."""
    return hashlib.sha256(data).hexdigest()


def _bundle(project: Project, tree: str, below: str = "") -> bytes:
    parent = _commit(project, below) if below else ""
    commit = _commit(project, tree, parent)
    ref = f"refs/testing/{commit}"
    project.git("update-ref", ref, commit)
    try:
        return project.git_bytes("bundle", "create", "--quiet", "-", ref, *([f"^{parent}"] if parent else []))
    finally:
        project.git("update-ref", "-d", ref)


def _commit(project: Project, tree: str, parent: str = "") -> str:
    return project.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=commit_bytes(tree, parent))
