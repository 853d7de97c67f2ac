"""Small files that are made again when they are gone: by name, with the digest of their bytes in front.

`<folder>/<first two letters of the name>/<name>`. Written beside and renamed: killed at any line there is the old file,
the new one or none, at worst a temporary file that the next collection of the cache removes. What is damaged is gone.
A folder that cannot be written is one that forgets.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_DIGEST = 64


class Kept:
    """Bytes by name in one folder. None: nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes | None:
        """The bytes kept under a name, None if there are none or they are not what was written."""
        if self._folder is None:
            return None
        path = self._path(self._folder, name)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        body = data[_DIGEST:]
        if hashlib.sha256(body).hexdigest().encode() != data[:_DIGEST]:
            return None
        with suppress(OSError):  # used now: what was not for longest is dropped first
            os.utime(path)
        return body

    def put(self, name: str, body: bytes) -> None:
        """Keep bytes under a name."""
        if self._folder is not None:
            publish(self._path(self._folder, name), hashlib.sha256(body).hexdigest().encode() + body)

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / name[:2] / name


def publish(path: Path, data: bytes) -> None:
    """Write a file beside and rename it into place; where that cannot be, nothing is left."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(path)
    except OSError:
        # A full disk or a folder of somebody else's: the answer is the same, the next one costs as much.
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
