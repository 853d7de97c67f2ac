"""Making a group of writes survive a power loss with one flush, where the system allows it.

Flushing a file costs the same few milliseconds whether it holds a byte or a megabyte, so fifteen new files cost
fifteen times as much as one. `syncfs(2)` writes out everything that was written to a file system before the
call, in one go; its documentation promises that for Linux, whatever the journalling mode. Whether it also
reaches the *disk* is up to the file system, so it is used where that is known (`_WHOLE`), and everywhere else,
network and FUSE file systems among them, each descriptor is flushed by itself.

A barrier is a point in time: what was written before its descriptors were added is on the disk when the last
`add` has returned. What it costs grows with what others wrote to that file system and nobody flushed yet.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from dev_agent.runtime.errors import JournalFailed
from dev_agent.runtime.files import open_regular, write_atomically

# f_type of statfs(2), as linux/magic.h has them. Overlay hands the call to the file system below it.
_EXT, _XFS, _BTRFS, _F2FS = 0xEF53, 0x58465342, 0x9123683E, 0xF2F52010
_TMPFS, _OVERLAY, _ZFS = 0x01021994, 0x794C7630, 0x2FC12FC1
_WHOLE = frozenset({_EXT, _XFS, _BTRFS, _F2FS, _TMPFS, _OVERLAY, _ZFS})
_STATFS_ROOM = 512


class Barrier:
    """Everything that was written before is on the disk, for every file and folder that is added."""

    def __init__(self) -> None:
        self._flushed: set[int] = set()

    def add(self, descriptor: int) -> None:
        """Flush the file system of `descriptor`, once a barrier, or at least the descriptor. Raises OSError."""
        device = os.fstat(descriptor).st_dev
        if device in self._flushed:
            return
        if flush_file_system(descriptor):
            self._flushed.add(device)
        else:
            os.fsync(descriptor)

    def add_file(self, path: Path) -> None:
        """Add the regular file at `path`. Raises OSError."""
        if self._flushed:
            known = path.lstat()
            if known.st_dev in self._flushed and stat.S_ISREG(known.st_mode):
                return
        with open_regular(path) as file:
            self.add(file.fileno())

    def add_folder(self, path: Path) -> None:
        """Add the names in the folder `path`. Raises OSError."""
        if self._flushed and path.stat().st_dev in self._flushed:
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.add(descriptor)
        finally:
            os.close(descriptor)


def write_mark(path: Path, data: bytes) -> None:
    """Make `path` hold `data` after everything written to its file system before is on the disk.

    For a file whose presence says that earlier work is complete. Power lost at any instant: no mark, or a whole
    one with what it stands for. When this returns the name may still be lost; whoever misses the mark does the
    work again. Raises JournalFailed.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        write_atomically(temporary, data, durable=False)
        Barrier().add_file(temporary)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise JournalFailed(
            f"cannot write {path.name}: {error.strerror or error}",
            "make space or mend the rights; a run that had begun can go on",
        ) from error


def flush_file_system(descriptor: int) -> bool:
    """Put everything written to the file system of `descriptor` on the disk; False where that is not possible.

    Raises OSError if the system tried and failed.
    """
    if not reaches_the_disk(descriptor):
        return False
    if _library().syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True


def reaches_the_disk(descriptor: int) -> bool:
    """True if one `syncfs` is known to bring the whole file system of `descriptor` to the disk."""
    # The first field is a long there; elsewhere it may be shorter.
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8 or not _has_syncfs():
        return False
    room = ctypes.create_string_buffer(_STATFS_ROOM)
    if _library().fstatfs(descriptor, room) != 0:
        return False
    return int.from_bytes(room.raw[:8], sys.byteorder) & 0xFFFF_FFFF in _WHOLE


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _has_syncfs() -> bool:
    found: Callable[..., int] | None = getattr(_library(), "syncfs", None)
    return found is not None
