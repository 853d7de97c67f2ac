"""Payloads beside the trace: bytes named by a commitment that can be opened, and erased.

The commitment is `c = HMAC-SHA256(salt, bytes)` with a random 32-byte salt. `blobs/<c>` holds the bytes,
`salts/<c>` the salt. Whoever has both can check them; once both are deleted, the commitment that stays in
the chain tells nothing, not even to somebody who guesses the text. The chain itself never notices.

Leaves to `trace`: which blobs there should be, and recording an erasure before it happens.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from dev_agent.runtime.errors import BlobUnavailable, JournalFailed
from dev_agent.runtime.files import open_regular, sync_folder, write_atomically

SALT_BYTES = 32
COMMITMENT = re.compile(r"[0-9a-f]{64}\Z")


def random_salt() -> bytes:
    """Return a fresh salt from the operating system."""
    return secrets.token_bytes(SALT_BYTES)


def commit(salt: bytes, data: bytes) -> str:
    """Return the commitment to `data` under `salt`, in hex."""
    return hmac.new(salt, data, sha256).hexdigest()


class Blobs:
    """The blobs of one run folder. `salt` supplies salts; with fixed ones the same bytes come out twice."""

    def __init__(self, folder: Path, salt: Callable[[], bytes] = random_salt) -> None:
        self._folder = folder
        self._salt = salt

    @cached_property
    def _blobs(self) -> Path:
        return self._folder / "blobs"

    @cached_property
    def _salts(self) -> Path:
        return self._folder / "salts"

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where the files of `files_of` have their names."""
        return self._salts, self._blobs

    def files_of(self, commitment: str) -> tuple[Path, Path]:
        """The two files of a blob: what has to be on the disk before it can be relied on."""
        return self._salts / commitment, self._blobs / commitment

    def write(self, data: bytes) -> str:
        """Store `data` and return its commitment; it is not on the disk yet. Raises JournalFailed.

        Killed between the two files: a salt without a blob, which nothing names and nothing reads.
        """
        for folder in (self._blobs, self._salts):
            _make(folder)
        salt = self._salt()
        commitment = commit(salt, data)
        write_atomically(self._salts / commitment, salt, durable=False)
        write_atomically(self._blobs / commitment, data, durable=False)
        return commitment

    def read(self, commitment: str, length: int) -> bytes:
        """Return the bytes behind a commitment, checked against it and `length`. Raises BlobUnavailable."""
        if not COMMITMENT.match(commitment):
            raise BlobUnavailable(commitment, "not a commitment: 64 lowercase hex digits expected")
        salt = self._content(self._salts / commitment, commitment, SALT_BYTES)
        data = self._content(self._blobs / commitment, commitment, length)
        if not hmac.compare_digest(commit(salt, data), commitment):
            raise BlobUnavailable(commitment, f"blob {commitment} does not match its commitment")
        return data

    def erase(self, commitment: str) -> None:
        """Delete blob and salt. Raises OSError. Killed between the two: calling it again finishes."""
        for folder in (self._blobs, self._salts):
            with suppress(FileNotFoundError):
                (folder / commitment).unlink()
                sync_folder(folder)

    def exists(self, commitment: str) -> bool:
        """Return whether anything of this blob is left: the bytes or the salt."""
        return any(
            (folder / commitment).is_symlink() or (folder / commitment).exists()
            for folder in (self._blobs, self._salts)
        )

    def _content(self, path: Path, commitment: str, length: int) -> bytes:
        try:
            with open_regular(path) as file:
                data = file.read(length + 1)
        except OSError as error:
            name = f"{path.parent.name}/{path.name}"
            raise BlobUnavailable(commitment, f"{name} cannot be read: {error.strerror or error}") from None
        if len(data) != length:
            raise BlobUnavailable(commitment, f"{path.parent.name}/{path.name} is not {length} bytes long")
        return data


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        # Also where somebody moved or removed the run's folder under a run that goes on.
        raise JournalFailed(
            f"cannot make {folder}: {error.strerror or error}", "check that the run's folder is still there"
        ) from error
