"""Moving files without ever overwriting one: the only three ways this package changes a name in a work tree.

Rules: `swap` exchanges two names in one step, `move` fails if the destination exists, `take` brings a file to
a private name that is known to be free. None of them can destroy bytes: what was at a place before is
afterwards at the other place. Names are relative to directory descriptors, which whoever calls has opened
component by component; no path is resolved here.

Linux gives the first two as flags of renameat2(2). Where a file system lacks the flags, `move` is link plus
unlink (both names exist for an instant, never none) and there is no swap; `probe` finds out which.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from typing import Any

from dev_agent.values import dataclass

_NOREPLACE = 1
_EXCHANGE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A name in an open directory: `folder` is a descriptor, `name` one path component."""

    folder: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moves:
    """What the file system can do: `exchange` and `noreplace` are the flags of renameat2 that work."""

    exchange: bool
    noreplace: bool

    def swap(self, first: Place, second: Place) -> None:
        """Exchange two existing names in one step. Raises OSError (FileNotFoundError if one is missing)."""
        _renameat2(first, second, _EXCHANGE)

    def move(self, source: Place, target: Place) -> None:
        """Rename `source` to `target` unless `target` exists. Raises FileExistsError, OSError.

        Without the flag: killed between link and unlink, both names stand for the same file.
        """
        if self.noreplace:
            _renameat2(source, target, _NOREPLACE)
            return
        os.link(
            source.name,
            target.name,
            src_dir_fd=source.folder,
            dst_dir_fd=target.folder,
            follow_symlinks=False,
        )
        os.unlink(source.name, dir_fd=source.folder)

    def take(self, source: Place, private: Place) -> None:
        """Rename `source`, whatever it is, to the free private name. Raises FileExistsError, OSError."""
        if self.noreplace:
            _renameat2(source, private, _NOREPLACE)
            return
        # Nobody but the holder of the land lock makes names in a private folder: looking first is enough.
        if exists(private):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), private.name)
        os.rename(source.name, private.name, src_dir_fd=source.folder, dst_dir_fd=private.folder)


def exists(place: Place) -> bool:
    """True if the name stands for anything, a dangling symlink included."""
    try:
        os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def probe(folder: int) -> Moves | None:
    """What works in the open private directory `folder`; None if not even hard links do.

    Makes and removes two files named `probe-*`; killed in between they lie in the private folder and go with it.
    """
    first, second = Place(folder=folder, name="probe-1"), Place(folder=folder, name="probe-2")
    names = (first.name, second.name)
    try:
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=folder))
        swaps = _works(first, second, _EXCHANGE)
        os.unlink(second.name, dir_fd=folder)
        if not _links(first, second):
            return None
        os.unlink(second.name, dir_fd=folder)
        moves = _works(first, second, _NOREPLACE)
    finally:
        for name in names:
            _forget(folder, name)
    return Moves(exchange=swaps and moves, noreplace=moves)


def _works(first: Place, second: Place, flag: int) -> bool:
    try:
        _renameat2(first, second, flag)
    except OSError:
        return False
    return True


def _links(first: Place, second: Place) -> bool:
    try:
        os.link(first.name, second.name, src_dir_fd=first.folder, dst_dir_fd=second.folder)
    except OSError:
        return False
    return True


def _forget(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _renameat2(source: Place, target: Place, flags: int) -> None:
    function = _function()
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), source.name)
    done = function(source.folder, os.fsencode(source.name), target.folder, os.fsencode(target.name), flags)
    if done != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), source.name, None, target.name)


@cache
def _function() -> Any:
    """The C library's renameat2, or None (not Linux, or a very old C library)."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
        function.restype = ctypes.c_int
    return function
