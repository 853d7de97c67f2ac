"""What the gates see besides the repository and no installed package's record speaks of, as it is now.

Directories outside of the repository that `.pth` files and editable installs add (the checkout of a library beside
this one), directories that the settings let programs read, what lies loose in site-packages, and the machine's time
zone. None of them has a version, and all of them decide verdicts: a baseline remembered from before the library beside
was mended would count what a change breaks now among the failures of the base.

Files are told apart by size and times, not by content. What Python, git and tools keep for themselves is left out.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

from dev_agent.values import dataclass

_MOST_FILES = 50_000
_METADATA = (".dist-info", ".egg-info")
_NAME = attrgetter("name")
_TIME_ZONE = (Path("/etc/localtime"), Path("/etc/timezone"))
_THEIR_OWN = frozenset(
    {
        "__pycache__",
        ".git",
        ".hg",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".coverage",
        ".tox",
        ".venv",
    }
)


class _TooManyError(Exception):
    """A directory holds more than can be looked at before every run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vicinity:
    """Places on this machine that decide verdicts: `folders` whole, what lies in `sites`, single `files`.

    `digest` stands for everything below `folders`, what lies directly in `sites`, and the time zone, in keys of what is
    remembered. Where there is too much to look at, it is one that nothing ever had: what is judged there is not
    remembered.

    `state` tells the times besides; `is_as_it_was` looks again, at sizes and times and no content. What came of looking
    before, and what is run later, are about one environment only if it says True.
    """

    folders: tuple[Path, ...]
    sites: tuple[Path, ...]
    files: tuple[Path, ...]
    digest: str
    state: str

    @classmethod
    def at(
        cls, folders: Iterable[Path], sites: Iterable[Path], files: Iterable[Path], notes: list[str]
    ) -> Vicinity:
        """As they are now; a folder with too much in it is a note."""
        inside, places = tuple(sorted(set(folders))), tuple(sorted(set(sites)))
        singles = tuple(files)
        looked = _Looked.at(inside, places)
        notes += (
            f"{one} holds more than {_MOST_FILES} files: verdicts are not remembered beside it"
            for one in looked.too_large
        )
        return cls(
            folders=inside,
            sites=places,
            files=singles,
            digest=secrets.token_hex(32) if looked.too_large else looked.lasting(),
            state=looked.now(singles),
        )

    def is_as_it_was(self) -> bool:
        """False once something was installed, removed or written there."""
        return _Looked.at(self.folders, self.sites).now(self.files) == self.state


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looked:
    """What one walk met: the digest of all folders, and of the sites one line for every entry.

    `loose` are the sites' lines as they matter to keys: folders by their names, since their times change whenever
    Python compiles something. `timed` has those of metadata folders too, which an installer writes into.
    """

    below: bytes
    loose: bytes
    timed: bytes
    too_large: tuple[Path, ...]

    @classmethod
    def at(cls, folders: tuple[Path, ...], sites: tuple[Path, ...]) -> _Looked:
        below, too_large = hashlib.sha256(), []
        for folder in folders:
            # Of a folder with too much in it the first files are looked at: nothing is remembered beside it, and
            # whether something was installed meanwhile is about accidents.
            try:
                for line in _below(folder):
                    below.update(line)
            except _TooManyError:
                too_large.append(folder)
        loose, timed = hashlib.sha256(), hashlib.sha256()
        for site in sites:
            prefix = len(str(site)) + 1
            for entry in _listed(str(site)):
                named = os.fsencode(entry.path) + b"\0"
                if entry.is_file():
                    line = _line(entry, prefix)
                    loose.update(line)
                    timed.update(line)
                    continue
                loose.update(named)
                timed.update(_line(entry, prefix) if entry.name.endswith(_METADATA) else named)
        return cls(
            below=below.digest(), loose=loose.digest(), timed=timed.digest(), too_large=tuple(too_large)
        )

    def lasting(self) -> str:
        """A digest for keys, of what is the same in the next run too."""
        digest = hashlib.sha256(self.below + self.loose)
        for path in _TIME_ZONE:
            with suppress(OSError):
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def now(self, files: Iterable[Path]) -> str:
        """A digest for comparing within one run, `files` with it."""
        digest = hashlib.sha256(self.below + self.timed)
        for path in files:
            with suppress(OSError):
                digest.update(os.fsencode(path) + _said(path.stat()))
        return digest.hexdigest()


def _below(folder: Path) -> Iterator[bytes]:
    """One line for every file, in an order of its own."""
    left, seen = [str(folder)], 0
    prefix = len(str(folder)) + 1
    yield os.fsencode(folder) + b"\0"
    if folder.is_file():
        yield _said(folder.stat())
    while left:
        for entry in _listed(left.pop()):
            if entry.is_dir(follow_symlinks=False):
                left.append(entry.path)
                continue
            seen += 1
            if seen > _MOST_FILES:
                raise _TooManyError
            yield _line(entry, prefix)


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted((one for one in found if one.name not in _THEIR_OWN), key=_NAME)
    except OSError:
        return []


def _line(entry: os.DirEntry[str], prefix: int) -> bytes:
    try:
        said = _said(entry.stat(follow_symlinks=False))
    except OSError:
        said = b"gone"
    return b"%b\0%b\0" % (os.fsencode(entry.path[prefix:]), said)


def _said(status: os.stat_result) -> bytes:
    # Not the time of the last change of the inode: a backup that links files changes that.
    return b"%d %d %d" % (status.st_ino, status.st_size, status.st_mtime_ns)
