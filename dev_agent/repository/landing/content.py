"""What is at a place: kind and bytes, as one comparable value.

Raw bytes, never the stat cache: an edit of the same length within a clock tick must be seen. A symlink's bytes
are its target. Anything that is neither file nor symlink has a kind of its own and no bytes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import stat
from collections.abc import Iterable
from enum import StrEnum

from dev_agent.repository.rename import Place
from dev_agent.values import dataclass

_CHUNK = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Kind(StrEnum):
    """What stands at a name."""

    FILE = "f"
    EXECUTABLE = "x"
    LINK = "l"
    FOLDER = "d"
    OTHER = "o"


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """Kind and SHA-256 of the raw bytes (hex, empty for folders and special files)."""

    kind: Kind
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A look at a place: its content, the git blob id of its raw bytes, and its stat."""

    content: Content
    blob: str
    stat: os.stat_result


def look(place: Place, object_format: str = "sha1") -> Seen | None:
    """What is at `place` now, None if nothing is. Raises OSError if it cannot be read."""
    try:
        info = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
        if stat.S_ISLNK(info.st_mode):
            target = os.fsencode(os.readlink(place.name, dir_fd=place.folder))
            return _seen(Kind.LINK, [target], len(target), object_format, info)
        if stat.S_ISREG(info.st_mode):
            return _look_at_file(place, object_format)
    except FileNotFoundError:
        return None
    kind = Kind.FOLDER if stat.S_ISDIR(info.st_mode) else Kind.OTHER
    return Seen(content=Content(kind=kind, sha256=""), blob="", stat=info)


def content_of(place: Place) -> Content | None:
    """Kind and bytes at `place`, None if nothing is there. Raises OSError."""
    seen = look(place)
    return seen.content if seen else None


def _look_at_file(place: Place, object_format: str) -> Seen:
    fd = os.open(place.name, _OPEN, dir_fd=place.folder)
    try:
        info = os.fstat(fd)
        kind = Kind.EXECUTABLE if info.st_mode & stat.S_IXUSR else Kind.FILE
        chunks = iter(lambda: os.read(fd, _CHUNK), b"")
        return _seen(kind, chunks, info.st_size, object_format, info)
    finally:
        os.close(fd)


def _seen(kind: Kind, chunks: Iterable[bytes], size: int, object_format: str, info: os.stat_result) -> Seen:
    raw = hashlib.sha256()
    # Git's own name for the bytes, which the user's repository chose; not a security choice of ours.
    blob = hashlib.new(object_format, b"blob %d\0" % size, usedforsecurity=False)
    for chunk in chunks:
        raw.update(chunk)
        blob.update(chunk)
    return Seen(content=Content(kind=kind, sha256=raw.hexdigest()), blob=blob.hexdigest(), stat=info)


def has_writer(place: Place) -> bool | None:
    """True if some process has the file at `place` open for writing, None if the system cannot tell.

    A read lease is granted only on a file nobody can write to. Leases need the file's owner (or root) and a
    local file system.
    """
    set_lease, set_signal = getattr(fcntl, "F_SETLEASE", None), getattr(fcntl, "F_SETSIG", None)
    if set_lease is None or set_signal is None:
        return None
    fd = os.open(place.name, _OPEN, dir_fd=place.folder)
    try:
        # Breaking a lease sends SIGIO by default, whose default action would end this process.
        fcntl.fcntl(fd, set_signal, signal.SIGURG)
        fcntl.fcntl(fd, set_lease, fcntl.F_RDLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    else:
        fcntl.fcntl(fd, set_lease, fcntl.F_UNLCK)
        return False
    finally:
        os.close(fd)
