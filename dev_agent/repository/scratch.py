"""Private folders for the length of one operation, under a state folder of ours.

A folder is claimed by a lock on itself. The kernel drops that lock when the last process holding it is gone,
so a folder without a lock is a dead process's leftover, and whoever comes next removes it: a kill at any
line leaks at most until then. The descriptor is handed to git children, because an orphan that still writes
here must keep the claim.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Scratch:
    """An empty private folder; `claim` is the descriptor that keeps it ours."""

    path: Path
    claim: int


def scratch(repository: Repository) -> AbstractContextManager[Scratch]:
    """A new private folder of a repository's."""
    return scratch_in(repository.state_dir / "tmp")


@contextmanager
def scratch_in(parent: Path) -> Iterator[Scratch]:
    """A new private folder in `parent`, gone afterwards. Removes dead processes' folders on the way."""
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    place = _claimed(parent)
    try:
        yield place
    finally:
        shutil.rmtree(place.path, ignore_errors=True)
        os.close(place.claim)


def _claimed(parent: Path) -> Scratch:
    """A new folder that is provably ours: a sweeper may win the race between making and locking it."""
    while True:
        path = Path(tempfile.mkdtemp(dir=parent))
        with suppress(FileNotFoundError):
            claim = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            if _lock(claim) and _is_open_as(path, claim):
                return Scratch(path=path, claim=claim)
            os.close(claim)


def _sweep(parent: Path) -> None:
    for entry in list(os.scandir(parent)):
        with suppress(OSError):
            claim = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if _lock(claim):
                    shutil.rmtree(entry.path, ignore_errors=True)
            finally:
                os.close(claim)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_open_as(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False
