"""Loose objects, read and written without a child: `objects/<2>/<rest>`, zlib over header and bytes.

A new object is a file without a name, made read-only and linked into place when it is whole: killed before that nothing
is left of it, after it the object is there, named by its hash, so that writing it again changes nothing. Where git
would have to do more (a repository shared by several users, a file system on which every object is to be flushed)
`may_write` is False, and git does it; likewise where files without names are not to be had.
"""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

_FAST = 1
_SMALL, _SMALL_WINDOW, _LITTLE_MEMORY = 1 << 12, 12, 5
_MOST_HEADER = 40


def may_write(repository: Repository) -> bool:
    """True where an object needs nothing but its bytes under its name."""
    try:
        shared = (repository.common_dir / "objects").stat().st_mode & stat.S_ISGID
    except OSError:
        return False
    return (
        hasattr(os, "O_TMPFILE")
        and not shared
        and not any(one.startswith("core.fsync=") for one in repository.git.settings)
    )


def write_loose(objects: Path, object_id: str, kind: str, data: bytes) -> None:
    """Have the object in the folder `objects`. Raises OSError, and then changed nothing under its name."""
    folder = f"{objects}/{object_id[:2]}"
    place = f"{folder}/{object_id[2:]}"
    try:
        os.utime(place)  # as young as if it were new, or a gc that runs now might take it away
    except FileNotFoundError:
        pass
    else:
        return
    with suppress(FileExistsError):
        os.mkdir(folder)  # noqa: PTH102 - a staged change writes a dozen objects, and paths cost as much as they do
    # The mode git gives: nobody writes to an object again.
    descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o444)
    with open(descriptor, "wb") as stream:
        stream.write(_deflated(f"{kind} {len(data)}\0".encode("ascii") + data))
        stream.flush()
        with suppress(FileExistsError):
            # Without a descriptor Python calls link(2), which does not follow and always fails here. Both paths are
            # absolute, so which one it is does not matter.
            os.link(f"/proc/self/fd/{descriptor}", place, dst_dir_fd=descriptor, follow_symlinks=True)


def _deflated(data: bytes) -> bytes:
    """zlib's form; a window that is no larger than it has to be takes half the time for a small object."""
    if len(data) > _SMALL:
        return zlib.compress(data, _FAST)
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, _SMALL_WINDOW, _LITTLE_MEMORY)
    return packer.compress(data) + packer.flush()


def read_loose(objects: Path, object_id: str, most: int | None = None) -> tuple[str, bytes] | None:
    """Kind and bytes of an object, None if it is not there as a file of its own, or not whole. Nothing is verified.

    Nor is one read that has more than `most` bytes.
    """
    try:
        with open(f"{objects}/{object_id[:2]}/{object_id[2:]}", "rb") as file:
            packed = file.read()
        if most is not None and _size(packed) > most:
            return None
        raw = zlib.decompress(packed)
    except (OSError, ValueError, zlib.error):
        return None
    header, _, data = raw.partition(b"\0")
    return header.partition(b" ")[0].decode("ascii", "replace"), data


def _size(packed: bytes) -> int:
    """The size an object says it has. Raises ValueError, zlib.error."""
    header = zlib.decompressobj().decompress(packed, _MOST_HEADER)
    return int(header.partition(b"\0")[0].partition(b" ")[2])
