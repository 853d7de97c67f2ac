"""Directories of a work tree, opened one component at a time and never through a symlink.

A path is checked and used through the same descriptor, so exchanging a folder for a symlink between the two
cannot send a rename elsewhere. Everything raises OSError: FileNotFoundError for a missing parent,
NotADirectoryError (ENOTDIR, ELOOP on some systems) where a symlink or a file stands in the way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.landing.ownership import Owner, give
from dev_agent.repository.rename import Place

if TYPE_CHECKING:
    from dev_agent.runtime.durability import Barrier

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """A descriptor of `folder`, which the caller trusts (symlinks on the way to it are followed)."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def folder_at(root: int, path: str) -> Iterator[int]:
    """A descriptor of the folder `path` below `root` ("" is root itself)."""
    fd = os.dup(root)
    try:
        for name in path.split("/") if path else ():
            below = os.open(name, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


@contextmanager
def place_at(root: int, path: str) -> Iterator[Place]:
    """The place `path` below `root`, its parent folder open."""
    parent, name = split(path)
    with folder_at(root, parent) as fd:
        yield Place(folder=fd, name=name)


def split(path: str) -> tuple[str, str]:
    """The parent ("" at the top) and the last component."""
    parent, _, name = path.rpartition("/")
    return parent, name


def make_folder(root: int, path: str, *, mode: int = 0o777, owner: Owner | None = None) -> None:
    """Make the folder `path` unless it is there; its parent must be. `mode` obeys the umask if it is 0o777.

    Without `owner` it gets its parent's where we are root.
    """
    with place_at(root, path) as place:
        try:
            os.mkdir(place.name, mode, dir_fd=place.folder)
        except FileExistsError:
            return
        if mode != 0o777:
            os.chmod(place.name, mode, dir_fd=place.folder)
        give(place, owner or Owner.of(os.fstat(place.folder)))


def remove_folder(root: int, path: str) -> bool:
    """Remove the folder `path` if it is empty; True if it is gone now."""
    try:
        with place_at(root, path) as place:
            os.rmdir(place.name, dir_fd=place.folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def flush_folder(root: int, path: str, barrier: Barrier) -> None:
    """Add the names in the folder `path` to `barrier`; a folder that is gone needs nothing. Raises OSError."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), folder_at(root, path) as fd:
        barrier.add(fd)
