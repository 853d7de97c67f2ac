"""What the gates see besides the repository and no installed package's record speaks of, as it is now.

Three things: directories outside of the repository that `.pth` files and editable installs add (the checkout of a
library beside this one), directories that the settings let programs read, and what lies loose in site-packages. None of
them has a version, and all of them decide verdicts: a baseline remembered from before the library beside was mended
would count what a change breaks now among the failures of the base.

Files are told apart by size and times, not by content. What Python, git and tools keep for themselves is left out.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST_FILES = 50_000
_THEIR_OWN = frozenset(
    {"__pycache__", ".git", ".hg", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
)


class _TooManyError(Exception):
    """A directory holds more than can be looked at before every run."""


def state_of(folders: Iterable[Path], sites: Iterable[Path], notes: list[str]) -> str:
    """A digest of everything below `folders`, and of what lies directly in `sites`.

    Where there is too much to look at, it is a digest nothing ever had: what is judged beside that is not remembered,
    and `notes` says so.
    """
    digest = hashlib.sha256()
    try:
        for folder in sorted(set(folders)):
            for line in _below(folder):
                digest.update(line)
    except _TooManyError as error:
        notes.append(f"{error} holds more than {_MOST_FILES} files: verdicts are not remembered beside it")
        return secrets.token_hex(32)
    for site in sorted(set(sites)):
        for entry in _listed(site):
            # Folders by their names: their times change whenever Python compiles something.
            digest.update(_line(entry, site) if entry.is_file() else os.fsencode(entry.path) + b"\0")
    return digest.hexdigest()


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
