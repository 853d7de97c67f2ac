"""Loose objects, read and written without a child: `objects/<2>/<rest>`, zlib over header and bytes.

Writing is what git itself does: a temporary file in the object's own folder, made read-only, renamed into place when it
is whole. Killed before the rename, a `tmp_obj_*` stays, which git's own gc removes; after it the object is there,
named by its hash, so that writing it again changes nothing. Where git would have to do more (a repository shared
by several users, a file system on which every object is to be flushed) `may_write` is False, and git does it.
"""

from __future__ import annotations

import os
import secrets
import stat
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

_FAST = 1


def may_write(repository: Repository) -> bool:
    """True where an object needs nothing but its bytes under its name."""
    try:
        shared = (repository.common_dir / "objects").stat().st_mode & stat.S_ISGID
    except OSError:
        return False
    return not shared and not any(one.startswith("core.fsync=") for one in repository.git.settings)


def write_loose(objects: Path, object_id: str, kind: str, data: bytes) -> None:
    """Have the object in the folder `objects`. Raises OSError, and then changed nothing under its name."""
    folder = objects / object_id[:2]
    place = folder / object_id[2:]
    if place.exists():
        return
    folder.mkdir(exist_ok=True)
    fresh = folder / f"tmp_obj_{secrets.token_hex(6)}"
    # The mode git gives: nobody writes to an object again.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(zlib.compress(f"{kind} {len(data)}\0".encode("ascii") + data, _FAST))
        fresh.rename(place)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def read_loose(objects: Path, object_id: str) -> tuple[str, bytes] | None:
    """Kind and bytes of an object, None if it is not there as a file of its own, or not whole. Nothing is verified."""
    try:
        raw = zlib.decompress((objects / object_id[:2] / object_id[2:]).read_bytes())
    except (OSError, ValueError, zlib.error):
        return None
    header, _, data = raw.partition(b"\0")
    return header.partition(b" ")[0].decode("ascii", "replace"), data
