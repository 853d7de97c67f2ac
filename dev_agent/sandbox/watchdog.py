"""What no rlimit counts: the memory, the processes and the disk of a job as a whole.

Asked about twenty times a second while the job runs. Rules kept here:
- processes are found by parentage from the one we started: inside a pid namespace nobody can leave that tree;
- memory is what each process holds, by its own account first; only if that is too much is shared memory
  shared out (`Pss`), because that costs the kernel a walk. Scratch space in memory counts as memory of the
  job;
- growth of writable host directories is measured seldom, and never for longer than a fraction of the time. A job
  can hide files from that (deleted but open, in directories nobody may list), so it also ends when the disk itself
  runs low, whoever filled it.

It sees what is there when it looks: a burst between two looks is bounded by the address-space and process
limits.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dev_agent.sandbox.job import EndedHow, Limits
from dev_agent.values import dataclass

_PROC = Path("/proc")
_DISK_SHARE = 20  # a measurement may take a twentieth of the time
_RESERVE = 512 * 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Veto:
    """Why the job has to end."""

    how: EndedHow
    detail: str


class Family:
    """The descendants of one process. Keeps what it learned, so that a look costs one listing of /proc."""

    def __init__(self, root: int) -> None:
        self.root = root
        self._ours: dict[int, bool] = {root: True}

    def members(self) -> list[int]:
        """The pids that are there now, the first process included."""
        present = set(_pids())
        for pid in self._ours.keys() - present:
            del self._ours[pid]
        self._ours.setdefault(self.root, True)
        for pid in present - self._ours.keys():  # a host has many, and few are new
            self._decide(pid)
        return [pid for pid, ours in self._ours.items() if ours and pid in present]

    def _decide(self, pid: int) -> None:
        chain = []
        while pid and pid not in self._ours:
            chain.append(pid)
            pid = _parent(pid)
        verdict = self._ours.get(pid, False)
        for link in chain:
            self._ours[link] = verdict


def _parent(pid: int) -> int:
    """The parent, 0 if there is none or the process is gone."""
    try:
        # The name, in parentheses, may hold anything; the last parenthesis ends it.
        return int((_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def tasks_of(uid: int) -> int:
    """How many threads the host runs for `uid`: what its limit on processes is compared with."""
    count = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            if (_PROC / str(pid)).stat().st_uid == uid:
                count += (_PROC / str(pid) / "task").stat().st_nlink - 2
    return count


def _pids() -> Iterator[int]:
    # Plain names: a Path for each of them would take most of the time.
    return (int(name) for name in os.listdir(_PROC) if name.isdecimal())  # noqa: PTH208


def resident(pids: Sequence[int]) -> int:
    """Bytes in memory and swap, with memory shared between them counted for each."""
    return sum(_tell(pid, "status", b"VmRSS:", b"VmSwap:") or 0 for pid in pids)


def proportional(pids: Sequence[int]) -> int:
    """Bytes in memory and swap, with shared memory shared out; a process that does not tell counts in full."""
    total = 0
    for pid in pids:
        told = _tell(pid, "smaps_rollup", b"Pss:", b"SwapPss:")
        total += resident([pid]) if told is None else told
    return total


def _tell(pid: int, file: str, *fields: bytes) -> int | None:
    """The sum of some `Name: N kB` lines of /proc/PID/FILE in bytes; None if it cannot be read."""
    try:
        lines = (_PROC / str(pid) / file).read_bytes().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))


def in_use(directory: Path | int) -> int:
    """Bytes used on the file system that `directory`, a path or a descriptor, is on."""
    status = os.statvfs(directory)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _overlay_in_use(root: Path, target: Path) -> int:
    """Bytes used by the overlay at `target` of a sandbox whose `/` is `root`."""
    try:
        inside = os.open(root / target.relative_to("/"), os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return 0
    try:
        # While the sandbox is being set up its root still is the host's, where the target is the real checkout
        # and "used" would be what is on the host's disk. One descriptor for both questions: the root changes
        # from one moment to the next.
        if target.exists() and os.fstat(inside).st_dev == target.stat().st_dev:
            return 0
        return in_use(inside)
    finally:
        os.close(inside)


def free_on(directory: Path) -> int:
    """Bytes left on the file system that `directory` is on."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def size_of(directory: Path) -> int:
    """Bytes of disk taken by a tree; what vanishes meanwhile, or cannot be looked into, does not count."""
    total = 0
    waiting = [directory]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
    return total


class Watchdog:
    """Looks after one run. Call it with the pid of the process started; `veto` says what it found.

    `overlays` are scratch targets kept in memory, seen through `inside()`, the pid of a process in the
    sandbox. `writable` are the host directories the job can write to. `overhead` processes are the
    sandbox's own.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        overlays: Sequence[Path] = (),
        writable: Sequence[Path] = (),
        inside: Callable[[], int | None] = lambda: None,
        overhead: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.veto: Veto | None = None
        self._limits = limits
        self._overlays = tuple(overlays)
        self._inside = inside
        self._overhead = overhead
        self._family: Family | None = None
        self._clock = clock
        self._before = {directory: size_of(directory) for directory in writable}
        self._floor = {directory: min(_RESERVE, free_on(directory) // 2) for directory in writable}
        self._next_measure = clock()

    def __call__(self, pid: int) -> str:
        """Look once; a text means "end it"."""
        if self._family is None or self._family.root != pid:
            self._family = Family(pid)
        members = self._family.members()
        self.veto = self._processes(members) or self._memory(members) or self._disk()
        return self.veto.detail if self.veto else ""

    def _processes(self, members: Sequence[int]) -> Veto | None:
        count = len(members) - self._overhead
        if count <= self._limits.processes:
            return None
        return Veto(how=EndedHow.PROCESSES, detail=f"more than {self._limits.processes} processes at once")

    def _memory(self, members: Sequence[int]) -> Veto | None:
        limit = self._limits.memory_bytes
        scratch = self._scratch()
        if resident(members) + scratch <= limit or proportional(members) + scratch <= limit:
            return None
        return Veto(
            how=EndedHow.MEMORY, detail=f"more than {_mib(limit)} MiB of memory in all processes together"
        )

    def _scratch(self) -> int:
        pid = self._inside() if self._overlays else None
        if pid is None:
            return 0
        root = _PROC / str(pid) / "root"
        # They share one file system in memory, which each of them reports as its own.
        return max(_overlay_in_use(root, target) for target in self._overlays)

    def _disk(self) -> Veto | None:
        now = self._clock()
        if not self._before or now < self._next_measure:
            return None
        limit = self._limits.disk_bytes
        grown = [directory for directory, size in self._before.items() if size_of(directory) - size > limit]
        low = [directory for directory, floor in self._floor.items() if free_on(directory) < floor]
        self._next_measure = now + max((self._clock() - now) * _DISK_SHARE, 0.5)
        if grown:
            return Veto(how=EndedHow.DISK, detail=f"more than {_mib(limit)} MiB written to {grown[0]}")
        if low:
            return Veto(how=EndedHow.DISK, detail=f"the disk of {low[0]} is almost full")
        return None


def _mib(size: int) -> int:
    return size // 1024**2
