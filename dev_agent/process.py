"""The one door for subprocesses.

Rules kept here, so that no caller can forget them:
- argv sequences only, never a shell; the environment is explicit and complete, nothing is inherited;
- stdin is what the caller gives, or nothing; descriptors other than 0-2 pass only by name;
- every child leads its own session, and the whole process group is killed on time-out, cancellation,
  a watcher's veto or any exception here;
- output is read with a byte cap that keeps the head and the tail, so that a flood costs bounded memory;
- a missing program and a failing program come back in the same shape (`code` 127, the reason on stderr).

Moving the bytes is `pump.py`'s, bounding them `capped.py`'s.

A process that leaves its process group on purpose (setsid) is beyond this door; the sandbox's pid namespace
ends those.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.capped import Capped
from dev_agent.pump import Pump, Reader, pumping
from dev_agent.values import dataclass

_TICK_S = 0.05
_MISSING = 127


class Stopped(StrEnum):
    """Why a child was ended by us, if it was."""

    NO = "no"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    VETOED = "vetoed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A finished child. `code` is negative for a signal, 127 if the program could not be started."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes
    stopped: Stopped
    veto: str
    truncated: bool
    ms: int

    @property
    def ok(self) -> bool:
        """True if the child ended by itself with status 0."""
        return self.code == 0 and self.stopped is Stopped.NO


def kill_group(pid: int) -> None:
    """SIGKILL the process group led by `pid`; gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def run(  # noqa: PLR0913 - one door has to have every handle; all are keyword-only
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    pass_fds: Sequence[int] = (),
    output_limit: int = 64 * 1024 * 1024,
    cancel: Cancel | None = None,
    watch: Callable[[int], str] | None = None,
    extra: Sequence[Reader] = (),
) -> Completed:
    """Run `argv` to its end and return what happened.

    `watch(pid)` is called about twenty times a second and ends the child by returning a reason (a memory
    watchdog). `extra` are further readable descriptors of pipes, each with a function taking what was read;
    they are read until end of file or until the child is gone, and stay the caller's to close.
    """
    started = time.monotonic()
    args = tuple(argv)
    out, err = Capped(output_limit), Capped(output_limit)
    try:
        child = subprocess.Popen(
            args,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        return Completed(
            argv=args,
            code=_MISSING,
            stdout=b"",
            stderr=f"{args[0]}: {error.strerror or error}".encode(),
            stopped=Stopped.NO,
            veto="",
            truncated=False,
            ms=0,
        )
    try:
        ours = ((child.stdout, out), (child.stderr, err))
        readers = [*extra, *((stream.fileno(), sink.add) for stream, sink in ours if stream)]
        with pumping(child.pid, readers, child.stdin, stdin) as pump:
            why, veto = _until_ended(child, pump, started + timeout_s, cancel, watch)
    except BaseException:
        kill_group(child.pid)
        child.wait()
        raise
    finally:
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
    return Completed(
        argv=args,
        code=child.wait(),
        stdout=out.value(),
        stderr=err.value(),
        stopped=why,
        veto=veto,
        truncated=out.truncated or err.truncated,
        ms=int((time.monotonic() - started) * 1000),
    )


def _until_ended(
    child: subprocess.Popen[bytes],
    pump: Pump,
    deadline: float,
    cancel: Cancel | None,
    watch: Callable[[int], str] | None,
) -> tuple[Stopped, str]:
    """Move bytes until the child has ended and its pipes are drained, or it has to be ended."""
    why, veto, wait_s, look_at = Stopped.NO, "", _TICK_S, 0.0
    while pump.open or child.poll() is None:
        if not pump.wait(wait_s):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(wait_s)
        if why is Stopped.NO:
            # A child that says a lot wakes us often; a look by the watcher costs more than what it said.
            now = time.monotonic()
            due = now >= look_at
            why, veto = _reason_to_stop(child, deadline, cancel, watch if due else None)
            look_at = now + _TICK_S if due else look_at
            wait_s = look_at - now
            if why is not Stopped.NO:
                kill_group(child.pid)
        if child.poll() is not None and not pump.drain():
            # The leader is gone and nothing is readable now: a descendant that still holds our pipe
            # must not keep us waiting.
            kill_group(child.pid)
            break
    return why, veto


def _reason_to_stop(
    child: subprocess.Popen[bytes],
    deadline: float,
    cancel: Cancel | None,
    watch: Callable[[int], str] | None,
) -> tuple[Stopped, str]:
    if child.poll() is not None:
        return Stopped.NO, ""
    if time.monotonic() > deadline:
        return Stopped.TIMED_OUT, ""
    if cancel is not None and cancel.requested:
        return Stopped.CANCELLED, ""
    veto = watch(child.pid) if watch else ""
    return (Stopped.VETOED, veto) if veto else (Stopped.NO, "")
