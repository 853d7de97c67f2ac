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
        raise _unwritten(path, error) from error


def begin_file(path: Path, data: bytes) -> int:
    """Make `path` hold `data`, and return a descriptor that appends to it. Raises JournalFailed.

    Killed before the rename: the old content (or nothing) and perhaps a `.tmp-*` file nobody reads. After it: the
    new content, which no power loss may have met yet.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    descriptor = -1
    try:
        descriptor = _private(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if os.write(descriptor, data) != len(data):
            raise OSError("only a part was written")
        temporary.replace(path)
    except BaseException as error:
        if descriptor >= 0:
            os.close(descriptor)
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise
    return descriptor


def _unwritten(path: Path, error: OSError) -> JournalFailed:
    return JournalFailed(
        f"cannot write {path.name}: {error.strerror or error}",
        "make space or mend the rights; a run that had begun can go on",
    )


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
