"""File operations below one folder that never follow a symlink out of it.

Every path is walked component by component with `O_NOFOLLOW` from a descriptor of the root, so a symlink put
in the way (by a tree, by a test that got to write) makes an operation fail instead of reaching elsewhere.
Operations are single system calls on one name each; what a kill between two of them means is the caller's
business.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE = 0o755


class ConfinedFolder:
    """The folder `root`, opened; paths are relative to it and use '/'. A context manager."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def remove(self, path: str) -> None:
        """Remove the file, symlink or (with all it holds) folder at `path`; gone already is fine."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self._parent(path) as (parent, name):
            if stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
                shutil.rmtree(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)

    def remove_empty_parents(self, path: str) -> None:
        """Remove the folders above `path` that hold nothing any more, innermost first."""
        while "/" in path:
            path = path.rpartition("/")[0]
            try:
                with self._parent(path) as (parent, name):
                    os.rmdir(name, dir_fd=parent)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return

    def make_folder(self, path: str) -> None:
        """Make the folder `path` and those above it, readable by all; a file in the way raises OSError."""
        with self._opened(path.split("/"), make=True):
            pass

    def stamp(self, path: str, *, executable: bool, seconds: int) -> None:
        """Give a file mode 0644 or 0755 and a modification time; of a symlink only the time."""
        with self._parent(path) as (parent, name):
            if stat.S_ISREG(os.lstat(name, dir_fd=parent).st_mode):
                os.chmod(name, 0o755 if executable else 0o644, dir_fd=parent)
            os.utime(name, (seconds, seconds), dir_fd=parent, follow_symlinks=False)

    def write(self, path: str, data: bytes, *, executable: bool, seconds: int) -> None:
        """Put a new file at `path`, with mode 0644 or 0755 and a modification time.

        Missing folders above it are made; a file or an empty folder in its place is removed first, never written to:
        it may have other names. Killed in between, nothing is there, or a file that is not whole yet.
        """
        with self._parent(path, make=True) as (parent, name):
            _make_room(name, parent)
            with open(os.open(name, _NEW_FILE, 0o600, dir_fd=parent), "wb", buffering=0) as file:
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
                os.fchmod(file.fileno(), 0o755 if executable else 0o644)
                os.utime(file.fileno(), (seconds, seconds))

    def link(self, path: str, target: bytes, *, seconds: int) -> None:
        """Put a new symlink at `path`, as `write` does with a file."""
        with self._parent(path, make=True) as (parent, name):
            _make_room(name, parent)
            os.symlink(target, name.encode("utf-8", "surrogateescape"), dir_fd=parent)
            os.utime(name, (seconds, seconds), dir_fd=parent, follow_symlinks=False)

    def open_up(self, path: str) -> None:
        """Make the existing folder at `path` readable by all."""
        with self._opened(path.split("/")) as fd:
            os.fchmod(fd, _FOLDER_MODE)

    def take(self, source: ConfinedFolder, path: str) -> None:
        """Move the file `path` of `source` (same file system) to the same path here.

        Missing folders above it are made; a file or an empty folder in its place is replaced.
        """
        *above, name = path.split("/")
        with source._parent(path) as (from_fd, _), self._opened(above, make=True) as to_fd:
            with contextlib.suppress(NotADirectoryError, FileNotFoundError):
                os.rmdir(name, dir_fd=to_fd)
            os.rename(name, name, src_dir_fd=from_fd, dst_dir_fd=to_fd)

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that holds `path`, and the last component."""
        *above, name = path.split("/")
        with self._opened(above, make=make) as fd:
            yield fd, name

    @contextmanager
    def _opened(self, components: list[str], *, make: bool = False) -> Iterator[int]:
        fd = os.dup(self._root)
        try:
            for component in components:
                inner = _make_and_open(component, fd) if make else os.open(component, _FOLDER, dir_fd=fd)
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)


def _make_room(name: str, parent: int) -> None:
    """Remove what is not a folder, or an empty folder; raises OSError for one that holds something."""
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        os.rmdir(name, dir_fd=parent)


def _make_and_open(name: str, parent: int) -> int:
    """Open the folder `name` in `parent`, making it first if it is missing."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
    fd = os.open(name, _FOLDER, dir_fd=parent)
    os.fchmod(fd, _FOLDER_MODE)  # the umask may have taken bits away
    return fd


def remove_all(folder: Path) -> None:
    """Remove `folder` and all it holds, also where permissions were taken away; gone already is fine.

    A symlink or a file of that name goes too, and nothing that it leads to.
    """
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except PermissionError:
        _allow_all(folder)
        shutil.rmtree(folder)


def _allow_all(folder: Path) -> None:
    folder.chmod(0o700)
    for _, names, _, fd in os.fwalk(folder):
        for name in names:
            if stat.S_ISDIR(os.lstat(name, dir_fd=fd).st_mode):
                os.chmod(name, 0o700, dir_fd=fd)
