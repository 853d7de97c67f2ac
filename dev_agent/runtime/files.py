"""The file operations the runtime needs, with their promises about crashes and hostile folders.

Reading never follows a symbolic link, blocks on a pipe or opens a device: a run folder may come from a
stranger. Writing is temp + rename in the same folder, so a name holds all of the bytes or does not exist.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from dev_agent.runtime.errors import JournalFailed


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises OSError (also for links, folders, pipes and devices)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(f"{path.name} is a link and not a regular file") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is not a regular file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def write_atomically(path: Path, data: bytes, *, durable: bool) -> None:
    """Make `path` hold `data`. Raises JournalFailed.

    Killed before the rename: the old content (or nothing) and perhaps a `.tmp-*` file nobody reads. After
    it: the new content; with `durable` also after a power loss once this returns.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        _write_new(temporary, data, durable=durable)
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise JournalFailed(
            f"cannot write {path.name}: {error.strerror or error}",
            "make space or mend the rights; a run that had begun can go on",
        ) from error


def _write_new(path: Path, data: bytes, *, durable: bool) -> None:
    with open(path, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power loss. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
