"""Content-addressed files of a worker: what was shipped, by sha256.

    <folder>/files/ab/abcd…            whole files, named by their content
    <folder>/incoming/<sha256>-<who>   files on their way in, one for each sender

A file comes in pieces, each at its offset; the sender is told how much is there, and goes on from that. When all of it
is there it is hashed, and renamed to its name only if it is what it was announced as; otherwise it is dropped.

Death at any line leaves pieces in `incoming`, which the next start removes, or a whole file. What the disk did to it
meanwhile (a power loss) is seen when the process uses it for the first time: then it is hashed again, and a damaged one
is dropped. One process has the folder, see `workshop`; threads are welcome.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dev_agent.cluster.frozen import SHA256
from dev_agent.errors import UsageFault
from dev_agent.sandbox.scratch import remove_tree
from dev_agent.values import dataclass

_SENDER = re.compile(r"[0-9a-z]{1,64}")
MOST_PIECE = 16 * 1024 * 1024


class BadPiece(UsageFault):
    """What was shipped is not what it was announced as."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A whole file: its bytes on the disk, and when it was used last (this machine's nanoseconds)."""

    sha256: str
    path: Path
    bytes: int
    used: int


class Store:
    """The files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._incoming = folder / "incoming"
        remove_tree(self._incoming)
        for each in (self._files, self._incoming):
            each.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._in_use: Counter[str] = Counter()

    def find(self, sha256: str) -> Path | None:
        """The file with this content, None if it is not here. Counts as a use of it."""
        path = self._path(sha256)
        if not path.is_file():
            return None
        if sha256 not in self._seen:
            if _digest_of(path) != sha256:
                path.unlink(missing_ok=True)
                return None
            with self._lock:
                self._seen.add(sha256)
        with suppress(OSError):
            os.utime(path)
        return path

    def lacking(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Those of `digests` that are not here, in their order, each once."""
        return tuple(one for one in dict.fromkeys(digests) if self.find(one) is None)

    @contextmanager
    def kept(self, digests: Iterable[str]) -> Iterator[None]:
        """Inside, none of these files is dropped."""
        mine = Counter(set(digests))
        with self._lock:
            self._in_use += mine
        try:
            yield
        finally:
            with self._lock:
                self._in_use -= mine

    def take(self, sha256: str, sender: str, offset: int, size: int, data: bytes) -> int:
        """Add a piece of the file of `size` bytes; how many of its bytes are here now.

        A piece that does not begin where the last one ended changes nothing: the answer says where to go on. Raises
        BadPiece for what cannot be a piece, and if the whole is not what its name says; OSError if it cannot be kept.
        """
        if not SHA256.fullmatch(sha256) or not _SENDER.fullmatch(sender) or len(data) > MOST_PIECE:
            raise BadPiece("what was shipped is no piece of a file")
        if self.find(sha256) is not None:
            return size
        place = self._incoming / f"{sha256}-{sender}"
        with place.open("ab") as stream:
            here = stream.tell()
            if here != offset or here + len(data) > size:
                return here
            stream.write(data)
        if here + len(data) < size:
            return here + len(data)
        self._arrived(sha256, place)
        return size

    def add(self, data: bytes) -> str:
        """Keep a whole file; its digest. Raises OSError."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.take(sha256, "own", 0, len(data), data)
        return sha256

    def held(self) -> tuple[Held, ...]:
        """Every whole file that nobody uses now."""
        found = []
        for path in self._files.glob("??/*"):
            with suppress(OSError):
                status = path.lstat()
                found.append(
                    Held(
                        sha256=path.name,
                        path=path,
                        bytes=status.st_blocks * 512,
                        used=status.st_mtime_ns,
                    )
                )
        with self._lock:
            return tuple(one for one in found if one.sha256 not in self._in_use)

    def drop(self, sha256: str) -> bool:
        """Remove a file; False if somebody uses it."""
        with self._lock:
            if sha256 in self._in_use:
                return False
            self._seen.discard(sha256)
            self._path(sha256).unlink(missing_ok=True)
        return True

    def _arrived(self, sha256: str, place: Path) -> None:
        if _digest_of(place) != sha256:
            place.unlink(missing_ok=True)
            raise BadPiece(f"what was shipped as {sha256[:12]} has another content")
        path = self._path(sha256)
        path.parent.mkdir(exist_ok=True)
        place.chmod(0o444)
        place.replace(path)
        with self._lock:
            self._seen.add(sha256)

    def _path(self, sha256: str) -> Path:
        return self._files / sha256[:2] / sha256


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
