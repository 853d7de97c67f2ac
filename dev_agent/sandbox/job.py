"""What a sandbox is asked to run, and what came of it. Values only.

Rules kept here:
- a job is complete: everything it may see, spend and say is in it, nothing is inherited;
- every path is absolute and has no `.` or `..`, so that a mount means the same to every reader;
- "the job ended by itself" (`EXITED`, `SIGNALLED`) is kept apart from "somebody ended it" and from "it never
  ran" (`UNAVAILABLE`), because only the first may ever count as evidence.

Whether the paths exist, and whether one of them is a symlink, is checked by `mounts` just before the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from dev_agent.values import dataclass

INPUT_FD = 3
REPORT_FD = 4


class MountKind(StrEnum):
    """How a target gets its content."""

    READ_ONLY = "read-only"
    """The source, as it is; the job cannot change it."""
    WRITABLE = "writable"
    """The source itself: what the job writes stays. Run by root, the source is chowned to the job's user."""
    SCRATCH = "scratch"
    """The source's content, writable; what the job writes is thrown away."""
    TMPFS = "tmpfs"
    """An empty directory in memory of at most `size` bytes."""
    DATA = "data"
    """A read-only file made of `data`."""


_WITH_SOURCE = frozenset({MountKind.READ_ONLY, MountKind.WRITABLE, MountKind.SCRATCH})


def _require_plain(path: Path, what: str) -> None:
    if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise ValueError(f"{what} must be an absolute path without '..': {str(path)!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mount:
    """One thing the job sees at `target`. `size` is in bytes, for TMPFS; `mode` is for TMPFS and DATA.

    `mode` -1 means 0700 for TMPFS and 0444 for DATA. `ours` says that a SCRATCH source is private to dev-agent: root
    may then give it to the user the job runs as, instead of a copy. Raises ValueError for a combination without a
    meaning.
    """

    kind: MountKind
    target: Path
    source: Path | None = None
    data: bytes = b""
    size: int = 0
    mode: int = -1
    ours: bool = False

    def __post_init__(self) -> None:
        _require_plain(self.target, "a mount target")
        if (self.source is None) is (self.kind in _WITH_SOURCE):
            needs = "needs a source" if self.kind in _WITH_SOURCE else "takes no source"
            raise ValueError(f"a {self.kind} mount {needs}: {self.target}")
        if self.source is not None:
            _require_plain(self.source, "a mount source")
        if self.kind is MountKind.TMPFS and self.size <= 0:
            raise ValueError(f"a tmpfs mount needs a size in bytes: {self.target}")

    @property
    def permissions(self) -> int:
        """The mode to create it with."""
        if self.mode >= 0:
            return self.mode
        return 0o444 if self.kind is MountKind.DATA else 0o700


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a job may spend.

    `wall_s` and `cpu_s` in seconds (`cpu_s` for one process), `memory_bytes` for all processes together
    (what they hold in memory, and what they wrote to scratch space kept in memory) and twice that as
    address space of one process, `processes` at the same time, `file_bytes` for one file, `disk_bytes` of
    growth of each writable or copied directory, `open_files` for one process, `output_bytes` kept of stdout
    and of stderr each.
    """

    wall_s: float = 900.0
    cpu_s: int = 1800
    memory_bytes: int = 4 * 1024**3
    processes: int = 256
    file_bytes: int = 256 * 1024**2
    disk_bytes: int = 2 * 1024**3
    open_files: int = 1024
    output_bytes: int = 16 * 1024**2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ValueError(f"limit {name} must be more than 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One program to run, confined.

    `input` is readable on descriptor 3, a pipe that is at its end afterwards: what was read cannot be read
    again by other code in the same process. With `report_bytes` > 0 the job may write that many bytes to
    descriptor 4; they are kept out of its own reach. Without, both are /dev/null. Descriptor 0 is
    /dev/null. `env` is added to a small safe base (`environment.base`); nothing else is inherited.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    limits: Limits = field(default_factory=Limits)
    network: bool = False
    input: bytes = b""
    report_bytes: int = 0

    def __post_init__(self) -> None:
        if not self.argv or any("\0" in argument for argument in self.argv):
            raise ValueError("a job needs an argv without NUL bytes")
        _require_plain(self.cwd, "a job's cwd")
        for name, value in self.env.items():
            if not name or "=" in name or "\0" in name + value:
                raise ValueError(f"not an environment variable: {name!r}")


class EndedHow(StrEnum):
    """Why the job is over. Only EXITED and SIGNALLED are its own doing."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    TIMED_OUT = "timed-out"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"
    CANCELLED = "cancelled"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What came of a job.

    `code` is set for EXITED only, `signal` for SIGNALLED only. A shell's convention holds: an exit status
    of 128+n where n is a signal reads as SIGNALLED. `stdout` and `stderr` keep head and tail of what was
    said, `report` the head; `truncated` says that one of the three was cut. `detail` explains every other
    ending to a person.
    """

    how: EndedHow
    code: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False
    report: bytes = b""
    ms: int = 0
    detail: str = ""
