"""Private copies of trees that a job may write into, and getting rid of them whatever the job did.

Rules kept here:
- a copy lives in a folder of its own under the scratch root; our process holds a lock (flock) on that
  folder for as long as it needs it, so a folder without a lock belongs to a process that died and the next
  `sweep` removes it;
- folders are made and swept under the root's own lock, so a new folder is never taken for a left-over;
- copying opens no FIFO, socket or device (that could hang) and follows no symlink; times are kept, because
  caches of mypy and Python go by them;
- removing needs two descriptors and no recursion, however deep and however unreadable the job made the tree.

If the process dies: while copying or while the job runs, a folder without a lock stays and is swept; while
removing, the rest of it is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev_agent.sandbox.identity import Identity

_CLONE = 0x40049409  # FICLONE of linux/fs.h: share the blocks where the file system can
_CHUNK = 1 << 30


@contextmanager
def folder(root: Path) -> Iterator[Path]:
    """A new private folder under `root`, held while inside, removed after."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(root):
        path = root / f"job-{secrets.token_hex(8)}"
        path.mkdir(mode=0o700)
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        try:
            remove_tree(path)
        finally:
            os.close(held)


def sweep(root: Path) -> tuple[Path, ...]:
    """Remove folders whose process is gone; returns them. A missing root is nothing to sweep."""
    if not root.is_dir():
        return ()
    swept = []
    with _locked(root):
        for path in sorted(root.glob("job-*")):
            with contextlib.suppress(BlockingIOError, FileNotFoundError), _locked(path, wait=False):
                remove_tree(path)
                swept.append(path)
    return tuple(swept)


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def copy_tree(source: Path, target: Path, owner: Identity | None = None) -> None:
    """Copy `source` to a new directory `target`: files, directories, symlinks, modes, times; no more."""
    waiting = [(source, target)]
    while waiting:
        here, there = waiting.pop()
        there.mkdir(mode=0o700)
        with os.scandir(here) as entries:
            for entry in entries:
                new = there / entry.name
                if entry.is_symlink():
                    new.symlink_to(Path(entry.path).readlink())
                    _give(new, owner)
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append((Path(entry.path), new))
                elif entry.is_file(follow_symlinks=False):
                    _copy_file(Path(entry.path), new)
                    _give(new, owner)
        there.chmod(stat.S_IMODE(here.lstat().st_mode) & 0o777 | 0o700)
        _give(there, owner)


def _give(path: Path, owner: Identity | None) -> None:
    if owner is not None and owner.changes:
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def _copy_file(source: Path, target: Path) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(reading)
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _copy_bytes(reading, writing)
            # The owner can write: it is a copy to be written to.
            os.fchmod(writing, stat.S_IMODE(status.st_mode) & 0o777 | 0o600)
            os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_bytes(reading: int, writing: int) -> None:
    try:
        fcntl.ioctl(writing, _CLONE, reading)
    except OSError:
        while os.sendfile(writing, reading, None, _CHUNK):
            pass


def remove_tree(top: Path) -> None:
    """Remove a directory with all that is in it; missing is fine.

    Sub-directories are moved up to `top` and emptied in turn: no recursion, no path longer than two names.
    """
    try:
        descriptor = _open_directory(top)
    except FileNotFoundError:
        return
    try:
        waiting = [""]
        while waiting:
            name = waiting.pop()
            waiting += _empty(descriptor, name)
            if name:
                os.rmdir(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    top.rmdir()


def _open_directory(path: Path | str, *, dir_fd: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    # A directory without rights for its owner cannot be listed, emptied or moved.
    os.chmod(path, 0o700, dir_fd=dir_fd)
    return os.open(path, flags, dir_fd=dir_fd)


def _empty(top: int, name: str) -> list[str]:
    """Unlink what is in directory `name` of `top`, move its sub-directories up; returns their new names."""
    here = os.dup(top) if not name else _open_directory(name, dir_fd=top)
    moved = []
    try:
        for entry in os.listdir(here):  # noqa: PTH208 - a descriptor
            try:
                os.unlink(entry, dir_fd=here)
            except OSError as error:
                if error.errno != errno.EISDIR:
                    raise
                new = f"removing-{secrets.token_hex(8)}"
                os.chmod(entry, 0o700, dir_fd=here)
                os.rename(entry, new, src_dir_fd=here, dst_dir_fd=top)
                moved.append(new)
    finally:
        os.close(here)
    return moved
