"""Starting a job's program with its limits and its two extra descriptors, and reading what it says.

Shared by all variants: what is confined differs, what a job is does not. Everything runs through the launcher
script, see there; the process itself through `dev_agent.process`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from dev_agent import process
from dev_agent.cancel import Cancel
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits
from dev_agent.sandbox.pipe import Pipe, lifted
from dev_agent.sandbox.watchdog import Watchdog
from dev_agent.values import dataclass

_LAUNCHER = Path(__file__).with_name("launcher.py")
# The kernel's limit counts every thread of a user on the host, so it needs room for what that user starts meanwhile
# elsewhere. It is the brake for a burst, and the smaller the better: a thousand runnable processes starve the
# watchdog, which counts the job's own exactly.
_HEADROOM = 256

Reader = tuple[int, Callable[[bytes], None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """What the host side adds: descriptors to inherit, pipes we read, where and with what environment.

    `status` is one of `pass_fds`: where a supervisor of the program says what becomes of it. Without, there is none.
    """

    pass_fds: Sequence[int] = ()
    status: int = -1
    readers: Sequence[Reader] = ()
    cwd: Path = field(default_factory=lambda: Path("/"))
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Launched:
    """The finished host process and what the job reported."""

    completed: process.Completed
    report: bytes
    report_cut: bool


class _Report:
    """Keeps the head of a report."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.kept = bytearray()
        self.cut = False

    def add(self, data: bytes) -> None:
        room = self._limit - len(self.kept)
        self.kept += data[:room]
        self.cut = self.cut or len(data) > room


def launch(
    program: Sequence[str], job: Job, host: Host, *, tasks: int, watchdog: Watchdog, cancel: Cancel
) -> Launched:
    """Run `program` for `job` to its end. `tasks` are those its user already has on this host."""
    report = _Report(job.report_bytes)
    with contextlib.ExitStack() as stack:
        descriptors, readers, report_at = list(host.pass_fds), list(host.readers), -1
        if job.report_bytes:
            pipe = stack.enter_context(Pipe())
            report_at = pipe.writing
            descriptors.append(report_at)
            readers.append((pipe.reading, report.add))
        own = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(report_at), str(host.status)]
        completed = process.run(
            [*own, rlimits(job.limits, tasks=tasks), "--", *program],
            cwd=host.cwd,
            env={**_interpreter_needs(), **host.env},
            timeout_s=job.limits.wall_s,
            stdin=job.input,
            pass_fds=descriptors,
            output_limit=job.limits.output_bytes,
            cancel=cancel,
            watch=watchdog,
            extra=readers,
        )
    return Launched(completed=completed, report=bytes(report.kept), report_cut=report.cut)


def rlimits(limits: Limits, *, tasks: int) -> str:
    """The launcher's limits. The one on processes counts all the user has on the host: they come on top."""
    values = {
        "CORE": 0,
        "CPU": int(limits.cpu_s),
        "FSIZE": limits.file_bytes,
        "NOFILE": limits.open_files,
        "NPROC": tasks + limits.processes + _HEADROOM,
        "AS": 2 * limits.memory_bytes,
    }
    return ",".join(f"{name}={value}" for name, value in values.items())


def ended(launched: Launched, watchdog: Watchdog, limits: Limits, code: int | None, detail: str) -> Ended:
    """The outcome: who ended the job; by `code`, how it ended itself; without, that it never ran.

    `detail` is why it never ran. A negative code is a signal as the host has it, 128+n as a shell does.
    """
    done = launched.completed
    number: int | None = None
    match done.stopped:
        case process.Stopped.TIMED_OUT:
            how, code, detail = EndedHow.TIMED_OUT, None, f"still running after {limits.wall_s:g} s"
        case process.Stopped.CANCELLED:
            how, code, detail = EndedHow.CANCELLED, None, "cancelled"
        case process.Stopped.VETOED if watchdog.veto is not None:
            how, code, detail = watchdog.veto.how, None, watchdog.veto.detail
        case _ if code is None:
            how = EndedHow.UNAVAILABLE
        case _:
            number = signal_of(code)
            how = EndedHow.EXITED if number is None else EndedHow.SIGNALLED
            detail = ""
    return Ended(
        how=how,
        code=code if how is EndedHow.EXITED else None,
        signal=number,
        stdout=done.stdout,
        stderr=done.stderr,
        truncated=done.truncated or launched.report_cut,
        report=launched.report,
        ms=done.ms,
        detail=detail,
    )


def signal_of(code: int) -> int | None:
    """The signal an exit code stands for, or None."""
    number = -code if code < 0 else code - 128
    return number if 0 < number <= 64 else None


@contextmanager
def holding() -> Iterator[tuple[Callable[[bytes], int], list[int]]]:
    """A function that keeps bytes on a descriptor to be passed on, and the list of those it made."""
    made: list[int] = []

    def hold(data: bytes) -> int:
        anonymous = lifted(os.memfd_create("dev-agent"))
        made.append(anonymous)
        with open(anonymous, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(anonymous, 0, os.SEEK_SET)
        return anonymous

    try:
        yield hold, made
    finally:
        for descriptor in made:
            os.close(descriptor)


def _interpreter_needs() -> dict[str, str]:
    """A relocated interpreter may find its own library by this; nothing of it reaches a confined job."""
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": path} if path else {}
