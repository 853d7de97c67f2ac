"""A job: one gate on one tree, complete. What a worker needs to know is in it, by value or by digest.

Rules kept here:
- a job is canonical JSON, and is read as what it is: input from somebody else. All its faults are said at once;
- paths stay inside of what they are relative to; a remote is an address of one of four transports, without an option
  and without a password; sizes and counts are bounded;
- confinement is never "off", and no judged program of a job has a network;
- `digest` stands for the question: two jobs with the same digest have the same answer. How the bytes travel and how
  long the asker waits is left out of it.

Nothing here knows where a job comes from or goes to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dev_agent.cluster.frozen import (
    SHA256,
    FrozenEnvironment,
    NamedFile,
    files_to_json,
    read_environment,
    read_files,
)
from dev_agent.cluster.job_fields import JobFields
from dev_agent.cluster.parcel import MOST_OBJECT_BYTES, Parcel
from dev_agent.cluster.tool import ToolVersion, read_tool
from dev_agent.errors import UsageFault
from dev_agent.gates.fields import Fields
from dev_agent.recorded_paths import to_recorded
from dev_agent.runtime.canonical import canonical, parse_canonical
from dev_agent.runtime.errors import NotCanonical
from dev_agent.sandbox.profile import Profile
from dev_agent.values import dataclass

FORMAT = 1
GATES = ("types", "tests", "checks", "reproduction")
SANDBOXES = ("auto", "bubblewrap", "landlock")
MOST_BYTES = 16 * 1024 * 1024
"""Of a job in its written form."""

_OID = {"sha1": re.compile(r"[0-9a-f]{40}"), "sha256": re.compile(r"[0-9a-f]{64}")}
_RULES = {
    "types": ("delta", "strict", "off"),
    "tests": ("delta", "strict", "off"),
    "flaky": ("allow", "deny"),
    "no_tests": ("allow", "deny"),
    "no_types": ("allow", "deny"),
    "changed_tests": ("allow", "ask", "deny"),
}
_NONCE = re.compile(r"[0-9a-zA-Z-]{0,64}")
_SHIPPING = ("objects", "remote", "base_commit", "deadline_s")


class BadJob(UsageFault):
    """What came is no job; `faults` says everything that is wrong with it."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(
            "this is not a job a worker can take: " + "; ".join(faults[:8]),
            hint="client and worker have to run the same dev-agent",
        )
        self.faults = faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The part of a policy that is about gates, as `GateRules` wants it."""

    types: str = "delta"
    tests: str = "delta"
    flaky: str = "allow"
    no_tests: str = "deny"
    no_types: str = "allow"
    changed_tests: str = "allow"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One gate on one tree.

    `root` is the asker's work tree: judged code is shown there. `repository` (64 hex digits) names the mirror.
    `interpreter` is the asker's, and `prefix` its virtual environment, "" if it is none: a worker shows its own equal
    environment there. `python` is the asker's word for an interpreter, as it goes into the settings. `project` is the
    asker's digest of the environment the gates judge in, which the verdicts name. `files` lie below `root`.
    `objects` are to be taken in order; none is needed where the trees are there. `fresh` asks for a judgement that
    remembers nothing. `checkout` are the asker's git settings (`name=value`) that decide what files of a tree
    look like. `changed` are paths as `os.fsdecode` makes them.
    """

    gate: str
    base_tree: str
    tree: str
    changed: tuple[str, ...]
    root: str
    repository: str
    object_format: str
    environment: FrozenEnvironment
    interpreter: str
    project: str
    tool: ToolVersion
    prefix: str = ""
    python: str = ""
    rules: Rules = Rules()
    must_pass: tuple[str, ...] = ()
    sandbox: str = "auto"
    profile: Profile = field(default_factory=Profile)
    files: tuple[NamedFile, ...] = ()
    objects: tuple[Parcel, ...] = ()
    base_commit: str = ""
    remote: str = ""
    fresh: str = ""
    checkout: tuple[str, ...] = ()
    deadline_s: int = 3600

    @property
    def digest(self) -> str:
        """What stands for the question, hex."""
        said = {name: value for name, value in self.to_json().items() if name not in _SHIPPING}
        return hashlib.sha256(canonical(said)).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Canonicalisable JSON."""
        return {
            "format": FORMAT,
            "gate": str(self.gate),
            "base_tree": self.base_tree,
            "tree": self.tree,
            "changed": [to_recorded(path) for path in self.changed],
            "root": to_recorded(self.root),
            "repository": self.repository,
            "object_format": self.object_format,
            "environment": self.environment.to_json(),
            "interpreter": to_recorded(self.interpreter),
            "prefix": to_recorded(self.prefix),
            "project": self.project,
            "tool": self.tool.to_json(),
            "python": self.python,
            "rules": {name: getattr(self.rules, name) for name in _RULES},
            "must_pass": list(self.must_pass),
            "sandbox": self.sandbox,
            "profile": self.profile.to_json(),
            "files": files_to_json(self.files),
            "objects": [[one.sha256, one.size] for one in self.objects],
            "base_commit": self.base_commit,
            "remote": self.remote,
            "fresh": self.fresh,
            "checkout": list(self.checkout),
            "deadline_s": self.deadline_s,
        }

    def to_bytes(self) -> bytes:
        """The written form. Raises NotCanonical for a value no JSON can hold."""
        return canonical(self.to_json())


def read_job(data: bytes) -> Job:
    """The inverse of `to_bytes`, for bytes nobody trusts. Raises BadJob with every fault."""
    if len(data) > MOST_BYTES:
        raise BadJob((f"it has {len(data)} bytes, more than {MOST_BYTES}",))
    try:
        table = parse_canonical(data)
    except NotCanonical as error:
        raise BadJob((error.message,)) from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise BadJob((f"format: must be {FORMAT}",))
    faults: list[str] = []
    job = _read(table, faults)
    if faults:
        raise BadJob(tuple(faults))
    return job


def _read(table: Mapping[str, Any], faults: list[str]) -> Job:
    fields = JobFields(table, faults)
    told = fields.plain
    object_format = told.text("object_format", one_of=tuple(_OID))
    oid = _OID.get(object_format, _OID["sha1"])
    job = Job(
        gate=told.text("gate", one_of=GATES),
        base_tree=fields.shaped("base_tree", oid, "the id of a tree"),
        tree=fields.shaped("tree", oid, "the id of a tree"),
        changed=fields.changed(),
        root=fields.place("root"),
        repository=fields.shaped("repository", SHA256, "64 hex digits"),
        object_format=object_format,
        environment=read_environment(fields.table("environment"), "environment", faults),
        interpreter=fields.place("interpreter"),
        prefix=fields.place("prefix", empty=True),
        project=fields.shaped("project", SHA256, "64 hex digits"),
        tool=read_tool(fields.table("tool"), "tool", faults),
        python=told.text("python"),
        rules=_read_rules(fields.table("rules"), faults),
        must_pass=told.texts("must_pass"),
        sandbox=told.text("sandbox", one_of=SANDBOXES),
        profile=fields.profile(),
        files=read_files(fields.rows("files"), "files", faults),
        objects=fields.parcels(),
        base_commit=fields.shaped("base_commit", oid, "the id of a commit", empty=True),
        remote=fields.remote(),
        fresh=fields.shaped("fresh", _NONCE, "a nonce"),
        checkout=fields.checkout(),
        deadline_s=told.seconds("deadline_s", 0),
    )
    _agree(job, told)
    told.done(others=("format", "rules", *_OTHERS))
    return job


def _agree(job: Job, told: Fields) -> None:
    """What no field can be blamed for alone."""
    if job.prefix and not job.interpreter.startswith(f"{job.prefix}/"):
        told.fault("interpreter", "does not lie in `prefix`")
    if job.prefix == job.root or (f"{job.root}/".startswith(f"{job.prefix}/") and job.prefix):
        told.fault("prefix", "holds the work tree")
    if any(one.size > MOST_OBJECT_BYTES for one in (*job.files, *job.environment.own)):
        told.fault("files", f"one is larger than {MOST_OBJECT_BYTES} bytes")


def _read_rules(table: Mapping[str, Any], faults: list[str]) -> Rules:
    told = Fields(table, "rules", faults)
    rules = Rules(**{name: told.text(name, one_of=values) for name, values in _RULES.items()})
    told.done()
    return rules


_OTHERS = ("changed", "root", "environment", "interpreter", "prefix", "tool", "profile", "files", "objects")

__all__ = ["BadJob", "Job", "Parcel", "Rules", "read_job"]
