"""What lies in the folder of a worker (`workshop`), for whoever keeps its disk in order while no worker has it.

    <folder>/store/files/ab/abcd…              a file that was shipped, each by itself
    <folder>/mirrors/<key>.git                 a mirror with its slots and caches, as one
    <folder>/environments/<digest>             an environment that was made, as one
    <folder>/environments/proved, interpreters, scratch, dask, fresh, …          whatever else, each as one

A thing is dropped under the folder's own lock, which stays: never while a worker has the folder, and a worker that
starts meanwhile waits for the lock. All of it can be had again. Killed while dropping: a mirror lies under a name that
the next worker removes, an environment without the mark that makes it whole; a file is there or it is not.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dev_agent.cluster.building import forget, last_used
from dev_agent.cluster.frozen import SHA256
from dev_agent.cluster.mirrors import drop_mirror, used_last
from dev_agent.repository.pruning import size_of
from dev_agent.sandbox.scratch import remove_tree
from dev_agent.values import dataclass

LOCK = "lock"
_STORE, _MIRRORS, _ENVIRONMENTS = "store", "mirrors", "environments"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptThing:
    """One thing below a worker's folder: its bytes on the disk, and this machine's nanoseconds of its last use."""

    path: Path
    bytes: int
    used: int
    shipped: bool = False


def kept_things(folder: Path) -> Iterator[KeptThing]:
    """Everything that could be dropped. Walks all of it; what vanishes meanwhile counts nothing."""
    for path in sorted(folder.glob(f"{_STORE}/files/??/*")):
        yield KeptThing(path=path, bytes=size_of(path), used=_time_of(path), shipped=True)
    for path in large_things(folder):
        if not _is_empty(path):
            yield KeptThing(path=path, bytes=size_of(path), used=_last_used(path))


def large_things(folder: Path) -> tuple[Path, ...]:
    """Where all but the shipped files are: three listings, whatever their size."""
    return (
        *_below(folder / _MIRRORS, ""),
        *_below(folder / _ENVIRONMENTS, ".whole"),
        *(one for one in _below(folder, LOCK) if one.name not in {_STORE, _MIRRORS, _ENVIRONMENTS}),
    )


def is_held(folder: Path) -> bool:
    """True if a worker has the folder now. Changes nothing."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def drop_kept(folder: Path, path: Path) -> bool:
    """Remove one of the things of a worker's folder; False if a worker has it. Raises OSError."""
    with _held(folder) as ours:
        if not ours:
            return False
        if path.parent.name == _MIRRORS:
            drop_mirror(path)
        elif SHA256.fullmatch(path.name) and path.parent.name == _ENVIRONMENTS:
            forget(path)
        elif path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    return True


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Inside, no worker has or gets the folder; False if one has it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)


def _below(folder: Path, without: str) -> tuple[Path, ...]:
    """What a folder holds but names that end so; nothing if there is no folder."""
    with suppress(OSError):
        return tuple(sorted(one for one in folder.iterdir() if not without or not one.name.endswith(without)))
    return ()


def _is_empty(path: Path) -> bool:
    """True for a folder that holds nothing, and for what is gone."""
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:
        return True


def _last_used(path: Path) -> int:
    if path.parent.name == _MIRRORS:
        return used_last(path)
    if path.parent.name == _ENVIRONMENTS and SHA256.fullmatch(path.name):
        return last_used(path)
    return _time_of(path)


def _time_of(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0
