"""Work done in a forked child: to be killed there, or to give up rights there."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from dev_agent.cancel import Cancel


def in_child(work: Callable[[], object]) -> int:
    """Do `work` in a fork of this process and return its wait status (0: it ended well)."""
    return os.waitpid(start_child(work), 0)[1]


def heeds_a_signal_it_is_not_woken_by(work: Callable[[Cancel], object]) -> bool:
    """True if `work`, begun in a child and meant to wait, is interrupted by a signal that another thread is given.

    So it is with a signal that comes just before a wait: its handler is due, and nothing ends the wait. A child that
    waits on is ended after some minutes.
    """

    def interrupted() -> None:
        cancel = Cancel()

        def signalled() -> None:
            # The main thread is to be in its wait by then; if it is not, the signal is heeded all the same.
            time.sleep(0.5)
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            time.sleep(600)

        signal.signal(signal.SIGUSR1, cancel.on_signal)
        signal.alarm(300)
        threading.Thread(target=signalled, daemon=True).start()
        try:
            work(cancel)
            cancel.check()
        except KeyboardInterrupt:
            os._exit(7)

    return os.waitstatus_to_exitcode(in_child(interrupted)) == 7


def start_child(work: Callable[[], object]) -> int:
    """Begin `work` in a fork of this process and return its process id; the caller waits for it."""
    with warnings.catch_warnings():
        # Newer Pythons warn of forking with threads about; this child takes no lock another thread may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child must never return into the test runner
            os._exit(9)
        os._exit(0)
    return child


def ends(pid: int) -> bool:
    """True once the process has ended; a kill is asked for at one moment and done at a later one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 300)[0])
    finally:
        os.close(descriptor)


def wait_until_unlocked(path: Path) -> None:
    """Wait until nobody, no orphan of a killed process either, holds the lock on a file or folder."""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)


_CALLS = (
    "rename", "replace", "link", "unlink", "mkdir", "rmdir", "chmod", "fchmod", "utime", "open", "write", "fsync",
)  # fmt: skip


def killed_at_call(number: int, work: Callable[[], object]) -> bool:
    """Do `work` in a child that is killed before its `number`-th call that may change a file or starts a child.

    True if it was killed, False if it ended well before that. Calls are counted from 0.
    """

    def doomed() -> None:
        _kill_before_call(number)
        work()

    status = in_child(doomed)
    assert os.WIFSIGNALED(status) or status == 0, f"the child failed: {status}"
    return os.WIFSIGNALED(status)


def _kill_before_call(number: int) -> None:
    left = [number]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def counting(*args: object, **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counting

    for name in _CALLS:
        setattr(os, name, counted(getattr(os, name)))
    # Children change files too: each start counts as one call.
    subprocess.Popen.__init__ = counted(subprocess.Popen.__init__)  # type: ignore[method-assign,assignment]
