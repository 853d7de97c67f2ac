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
from pathlib import Path

from dev_agent.values import dataclass

_MOST_FILES = 50_000
_METADATA = (".dist-info", ".egg-info")
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

    `state` tells what was there when this was made; `is_as_it_was` looks again, at sizes and times and no content. What
    came of looking before, and what is run later, are about one environment only if it says True.
    """

    folders: tuple[Path, ...]
    sites: tuple[Path, ...]
    files: tuple[Path, ...]
    state: str

    @classmethod
    def at(cls, folders: Iterable[Path], sites: Iterable[Path], files: Iterable[Path]) -> Vicinity:
        """As they are now."""
        places = tuple(folders), tuple(sites), tuple(files)
        return cls(folders=places[0], sites=places[1], files=places[2], state=_installed(*places))

    def is_as_it_was(self) -> bool:
        """False once something was installed, removed or written there."""
        return _installed(self.folders, self.sites, self.files) == self.state


def state_of(folders: Iterable[Path], sites: Iterable[Path], notes: list[str]) -> str:
    """A digest of everything below `folders`, of what lies directly in `sites`, and of the time zone.

    Where there is too much to look at, it is a digest nothing ever had: what is judged beside that is not remembered,
    and `notes` says so.
    """
    digest = hashlib.sha256()
    try:
        _add_folders(digest, folders)
    except _TooManyError as error:
        notes.append(f"{error} holds more than {_MOST_FILES} files: verdicts are not remembered beside it")
        return secrets.token_hex(32)
    for site in sorted(set(sites)):
        for entry in _listed(site):
            # Folders by their names: their times change whenever Python compiles something.
            digest.update(_line(entry, site) if entry.is_file() else os.fsencode(entry.path) + b"\0")
    for path in _TIME_ZONE:
        with suppress(OSError):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _installed(folders: Iterable[Path], sites: Iterable[Path], files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    # Of a folder with too much in it the first files are looked at: this is about accidents, and nothing is remembered.
    with suppress(_TooManyError):
        _add_folders(digest, folders)
    for site in sites:
        for entry in _listed(site):
            timed = entry.is_file() or entry.name.endswith(_METADATA)
            digest.update(_line(entry, site) if timed else os.fsencode(entry.path) + b"\0")
    for path in files:
        with suppress(OSError):
            digest.update(os.fsencode(path) + _said(path.stat()))
    return digest.hexdigest()


def _add_folders(digest: hashlib._Hash, folders: Iterable[Path]) -> None:
    for folder in sorted(set(folders)):
        for line in _below(folder):
            digest.update(line)


def _below(folder: Path) -> Iterator[bytes]:
    """One line for every file, in an order of its own."""
    left, seen = [folder], 0
    yield os.fsencode(folder) + b"\0"
    if folder.is_file():
        yield _said(folder.stat())
    while left:
        for entry in _listed(left.pop()):
            if entry.is_dir(follow_symlinks=False):
                left.append(Path(entry.path))
                continue
            seen += 1
            if seen > _MOST_FILES:
                raise _TooManyError(folder)
            yield _line(entry, folder)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted((one for one in found if one.name not in _THEIR_OWN), key=lambda one: one.name)
    except OSError:
        return []


def _line(entry: os.DirEntry[str], folder: Path) -> bytes:
    try:
        said = _said(entry.stat(follow_symlinks=False))
    except OSError:
        said = b"gone"
    return b"\0".join((os.fsencode(os.path.relpath(entry.path, folder)), said, b""))


def _said(status: os.stat_result) -> bytes:
    # Not the time of the last change of the inode: a backup that links files changes that.
    return b"%d %d %d" % (status.st_ino, status.st_size, status.st_mtime_ns)
