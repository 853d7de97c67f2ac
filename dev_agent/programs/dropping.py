"""How a run dies: what `prune` decides, and what recovery does for a pruning that was killed.

Under the lock of the run's journal, so that nobody takes it up meanwhile:

    1. its folder is renamed to `dev-agent/dropped/<run>`    before: the run is whole; after: it is gone from all lists
    2. its refs `staged/<run>` and `kept/<run>` are deleted
    3. the folder is removed

Whoever does this holds a lock on `dropped/` itself. So what stands there while that lock is free was left by somebody
who died after 1; while it is held, it is being seen to. Killed after 1 or anywhere later, the next recovery does 2 and
3 again, which finds less to do.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.programs.folders import runs_dir
from dev_agent.repository import kept
from dev_agent.repository.confined import remove_all
from dev_agent.repository.refs import drop_ref
from dev_agent.repository.staging import staged_ref

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


def drop_run(repository: Repository, run: str) -> bool:
    """The three steps of the module; False if somebody drives the run now, or was faster. Raises GitFailed, OSError."""
    folder = runs_dir(repository) / run
    lock = _claimed(folder)
    if lock is None:
        return False
    try:
        grave = _dropped(repository)
        grave.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(grave, wait=True):
            folder.rename(grave / run)
            _bury(repository, run)
    finally:
        os.close(lock)
    return True


def finish_dropping(repository: Repository) -> tuple[str, ...]:
    """Steps 2 and 3 of every run whose pruning died, in sentences. Raises GitFailed, OSError; may itself be killed."""
    grave = _dropped(repository)
    if not grave.is_dir():
        return ()
    with _alone_in(grave, wait=False) as alone:
        left = sorted(one.name for one in grave.iterdir()) if alone else []
        for run in left:
            _bury(repository, run)
    return tuple(f"run {run}: finished dropping it" for run in left)


@contextmanager
def _alone_in(grave: Path, *, wait: bool) -> Iterator[bool]:
    """Inside, nobody else buries; False if somebody does and that was not to be waited for."""
    folder = os.open(grave, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    alone = True
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(folder)


def _claimed(folder: Path) -> int | None:
    """A descriptor holding the run's lock; None if somebody has it, or another pruning was faster."""
    path = folder / "lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), path.lstat()):
            return lock
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(lock)
    return None


def _bury(repository: Repository, run: str) -> None:
    """Steps 2 and 3; each may be repeated."""
    drop_ref(repository, staged_ref(run))
    kept.release(repository, run)
    remove_all(_dropped(repository) / run)


def _dropped(repository: Repository) -> Path:
    return repository.state_dir / "dropped"
