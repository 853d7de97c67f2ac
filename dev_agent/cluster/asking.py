"""From a question to a job: what this machine's gates rest on, named so that another machine can find out the same.

The environment is frozen once for a base; the rest is put together for every question. Nothing here knows an engine.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev_agent.cluster.frozen import FrozenEnvironment, NamedFile
from dev_agent.cluster.job import Job, Rules
from dev_agent.cluster.own_lock import own_lock
from dev_agent.cluster.tool import tool_version
from dev_agent.errors import UsageFault
from dev_agent.gates.included import find_included
from dev_agent.gates.judge import GateName
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cluster.job import Parcel
    from dev_agent.gates.config import GateConfig
    from dev_agent.gates.gates import Gates
    from dev_agent.gates.judge import Question
    from dev_agent.repository.discovery import Repository

_RUNS = 8
"""Of one tool for one answer, at most and rounded up: base, change, again, in other forms."""
_MARGIN_S = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Surety:
    """What a base's gates rest on. `sources` is where the bytes of all named files are, by sha256."""

    environment: FrozenEnvironment
    files: tuple[NamedFile, ...]
    sources: Mapping[str, Path]


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What names a repository's objects on workers, and their format."""

    key: str
    object_format: str


def surety_of(gates: Gates) -> Surety:
    """Read from the disk. Raises EnvironmentFault for an environment that no lock can name."""
    context = gates.context
    project = context.project
    frozen = own_lock(project, context.cache)
    tracked = frozenset(context.trees.paths(project.base_tree) if project.config.include else ())
    included = find_included(project.root, project.config.include, tracked=tracked, notes=[])
    files = [
        NamedFile(
            path=one.path.relative_to(project.root).as_posix(),
            sha256=one.digest,
            size=one.path.stat().st_size,
        )
        for one in included
    ]
    return Surety(
        environment=frozen.environment,
        files=tuple(sorted(files, key=lambda one: one.path)),
        sources={**frozen.sources, **{one.digest: one.path for one in included}},
    )


def job_of(
    question: Question,
    gates: Gates,
    surety: Surety,
    origin: Origin,
    parcels: tuple[Parcel, ...],
    *,
    fresh: str,
) -> Job:
    """The job that a worker is asked. Raises UsageFault for terms that no worker takes."""
    project, terms = gates.context.project, question.terms
    if terms.sandbox == "off" or terms.profile.network:
        raise UsageFault(
            "a worker confines what it runs and gives it no network, whatever the asker says",
            hint="leave --cluster out, or --sandbox off and the profile's network",
        )
    interpreter = project.interpreter
    return Job(
        gate=question.gate.value,
        base_tree=question.subject.base_tree,
        tree=question.subject.tree,
        changed=tuple(sorted(question.subject.changed)),
        root=str(project.root),
        repository=origin.key,
        object_format=origin.object_format,
        environment=surety.environment,
        interpreter=str(interpreter.path),
        prefix=str(interpreter.prefix) if interpreter.is_venv else "",
        project=project.digest,
        tool=tool_version(),
        python=terms.python,
        rules=Rules(
            types=str(terms.rules.types),
            tests=str(terms.rules.tests),
            flaky=str(terms.rules.flaky),
            no_tests=str(terms.rules.no_tests),
            no_types=str(terms.rules.no_types),
            changed_tests=str(terms.rules.changed_tests),
        ),
        must_pass=terms.must_pass,
        sandbox=terms.sandbox,
        profile=terms.profile,
        files=surety.files,
        objects=parcels,
        fresh=fresh,
        deadline_s=deadline_s(question.gate, project.config),
    )


def nonce(question: Question) -> str:
    """What makes a question that wants to be answered afresh another one than all before; "" for the others."""
    return secrets.token_hex(16) if question.terms.afresh else ""


def origin_of(repository: Repository) -> Origin:
    """Where the repository is from, so that its clones share their objects on workers; or its place."""
    remote = repository.git.setting("remote.origin.url") or ""
    place = f"{platform.node()}\0{repository.common_dir}"
    said = _without_credentials(remote) or place
    key = hashlib.sha256(b"repository\0" + said.encode("utf-8", "surrogateescape")).hexdigest()
    return Origin(key=key, object_format=repository.object_format)


def _without_credentials(url: str) -> str:
    """A remote's address without user and password, "" for one that means something else on another machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"https", "http", "ssh", "git"} or not parts.hostname:
        return ""
    return f"{parts.hostname}:{parts.port or ''}{parts.path}"


def deadline_s(gate: GateName, config: GateConfig) -> int:
    """How long a worker may take for a gate, in seconds: what its runs may take by the settings, and a margin."""
    match gate:
        case GateName.TYPES:
            allowed = config.types.timeout_s * _RUNS
        case GateName.CHECKS:
            allowed = sum(check.timeout_s for check in config.checks) * 2
        case _:
            allowed = config.tests.timeout_s * _RUNS
    return allowed + _MARGIN_S
