"""The land lock: one landing or recovery at a time in all work trees of a repository.

It is a flock(2) on `<common dir>/dev-agent/land.lock`, not a pid file: the kernel drops it when the last
descriptor closes, so a dead holder can never block anybody. The descriptor is handed on to every git child
(`git.holding(fd)`): if only the agent is killed, an orphaned `git update-ref` still holds the lock, and
recovery cannot decide "go back" while that child commits.

The file's text names the holder, for messages only; nothing is decided by it. The file is never deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.repository.discovery import Repository

_PAUSE_S = 0.01
_WORDS_LIMIT = 400


class LandLockBusy(EnvironmentFault):
    """Somebody else is landing or recovering; `holder` is what they said about themselves."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"another landing is under way: {holder}",
            hint="wait for it to end and try again",
        )
        self.holder = holder


@contextmanager
def land_lock_held(
    repository: Repository, words: str, *, timeout_s: float, cancel: Cancel | None = None
) -> Iterator[int]:
    """Hold the land lock and give its descriptor.

    Raises LandLockBusy after `timeout_s` seconds, KeyboardInterrupt if `cancel` asks to stop while waiting,
    OSError if the state folder cannot be written. Killed inside: the kernel frees it.
    """
    repository.state_dir.mkdir(parents=True, exist_ok=True)
    path = repository.state_dir / "land.lock"
    fd = _acquire(path, time.monotonic() + timeout_s, cancel)
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"process {os.getpid()}: {words}\n".encode("utf-8", "replace"), 0)
        yield fd
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, 0)
        os.close(fd)


def _acquire(path: Path, deadline: float, cancel: Cancel | None) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(fd, path):
                return fd
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = _holder(fd)
                os.close(fd)
                raise LandLockBusy(holder) from None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        if cancel is not None:
            cancel.check()
        time.sleep(_PAUSE_S)


def _is_at(fd: int, path: Path) -> bool:
    """False if somebody removed the file meanwhile: a lock on a nameless file excludes nobody."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _holder(fd: int) -> str:
    said = os.pread(fd, _WORDS_LIMIT, 0).decode("utf-8", "replace").strip()
    return said or "a process that did not say who it is"
