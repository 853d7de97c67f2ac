"""Runs a program in a process tree of its own, and ends that tree. Used by scripts: standard library only.

Three processes, because the one that our caller can kill must not be the one that has to clean up:

    outer         what the caller started and may kill; waits for the supervisor
    supervisor    in a session of its own, adopts every orphan of the program (PR_SET_CHILD_SUBREAPER); when the program
                  has ended, or the outer one has, kills and reaps until nothing is left
    program       in a session of its own, tied to the supervisor; what it becomes is its caller's

Rules kept here:
- nothing of the program exists before the supervisor said "up" on the status pipe, and it says "gone" only when nothing
  of it exists any more, so a reader that knows the outer process has ended knows what to wait for;
- the status pipe belongs to the supervisor alone: what the program says can never be taken for how it ended.

If the outer process dies, the supervisor gets SIGTERM and cleans up. That holds at every moment: the signals are
blocked before the first fork, and whoever is born after its parent's death sees that before it starts anything. If the
supervisor is killed, the program is killed with it and "gone" is never said.

Lines on the status pipe: `up`, then `never REASON` or `ended CODE` (negative: a signal), then `gone`. `supervised` has
the reader's side.
"""

from __future__ import annotations

import ctypes
import os

# Known to type checkers by its name. A confined program waits for this import, and `typing` is the longest part of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

try:
    # The same calls; the names in `signal` are made at every import, which would be a third of a script's start.
    import _signal as signal  # type: ignore[import-not-found]
except ImportError:
    import signal

WATCHED = (signal.SIGCHLD, signal.SIGTERM)
NEVER_RAN = 127
# include/uapi/linux/prctl.h
_SET_PDEATHSIG, _SET_SUBREAPER = 1, 36


def supervise(parent: int, status: int, become: Callable[[], None]) -> int:
    """Be the outer process, which ends here with status 0, whatever became of the program.

    `become` is called in the third process and executes the program, or raises. `parent` is the process that wants all
    this: if it has ended already nothing is started, and the exit status to say so is returned. `status` is the status
    pipe's descriptor; it, 3 and 4 are left to those who need them.
    """
    _call_prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    # Before the fork: a signal that comes at once waits until somebody looks.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    outer = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        try:
            _supervise(status, outer, become)
        finally:
            os._exit(0)
    for descriptor in (3, 4, status):
        os.close(descriptor)
    os.waitpid(supervisor, 0)
    # Whoever waits for us has waited for the program; an interpreter's own farewell takes milliseconds more.
    os._exit(0)


def _supervise(status: int, outer: int, become: Callable[[], None]) -> None:
    """The supervisor, from its fork to its end."""
    os.setsid()
    _call_prctl(_SET_SUBREAPER, 1)
    _call_prctl(_SET_PDEATHSIG, signal.SIGTERM)
    os.write(status, b"up\n")
    if os.getppid() != outer:
        os.write(status, b"gone\n")
        return
    reading, failed = os.pipe()
    supervisor = os.getpid()
    program = os.fork()
    if program == 0:
        _become(supervisor, status, failed, become)
    for descriptor in (3, 4, failed):
        os.close(descriptor)
    with os.fdopen(reading, "rb") as stream:
        reason = stream.read()
    code = _wait(program)
    end_everything()
    if reason:
        os.write(status, b"never " + reason.replace(b"\n", b" ") + b"\n")
    elif code is not None:
        os.write(status, b"ended %d\n" % code)
    os.write(status, b"gone\n")


def _become(supervisor: int, status: int, failed: int, become: Callable[[], None]) -> None:
    """Be the program: never returns. Why it could not be started goes to `failed`, which exec closes."""
    try:
        os.setsid()
        _call_prctl(_SET_PDEATHSIG, signal.SIGKILL)
        os.close(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        if os.getppid() == supervisor:
            become()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program must not be run in spite of it
        os.write(failed, str(error).encode(errors="replace")[:1000] or b"unknown")
    finally:
        os._exit(NEVER_RAN)


def _wait(program: int) -> int | None:
    """Reap until `program` has ended; its exit code, or None if the outer process ended first."""
    while True:
        if signal.sigwait(WATCHED) == signal.SIGTERM:
            return None
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == program:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                break


def end_everything() -> None:
    """Kill and reap until we have no child; whoever loses a parent meanwhile becomes our child."""
    while True:
        for pid in _children():
            try:  # noqa: SIM105 - contextlib is not quick to load
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        try:
            # One at least ends: each of them has been killed, or came after the look and is killed in the next.
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                signal.sigtimedwait({signal.SIGCHLD}, 0.01)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
            return [int(one) for one in stream.read().split()]
    except OSError:
        # A kernel without CONFIG_PROC_CHILDREN: ask every process for its parent.
        return [
            int(name)
            for name in os.listdir("/proc")  # noqa: PTH208
            if name.isdecimal() and _parent(name) == os.getpid()
        ]


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def _call_prctl(option: int, argument: int) -> None:
    libc: Any = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *map(ctypes.c_ulong, (argument, 0, 0, 0))) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
