"""Untracked files of the user's work tree that the tests need, by the settings' globs.

A private tree has only tracked files; generated ones (`_version.py`), built extensions and local data are
missing there and have to be named. They are shown read-only and are part of the environment's digest. Never
taken: anything in `.git`, symlinks and what lies behind them, and files the tree has itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from dev_agent.values import dataclass

_MOST_FILES = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Included:
    """One file, and the sha256 of its bytes."""

    path: Path
    digest: str


def find_included(
    root: Path, globs: Iterable[str], *, tracked: frozenset[str], notes: list[str]
) -> tuple[Included, ...]:
    """The files that `globs` name, sorted. A glob that finds nothing, or too much, is a note."""
    found: dict[Path, Included] = {}
    for glob in globs:
        before = len(found)
        for path in _files(root, glob):
            name = path.relative_to(root).as_posix()
            if name in tracked or any(part.casefold() == ".git" for part in path.relative_to(root).parts):
                continue
            if len(found) >= _MOST_FILES:
                notes.append(f"include: {glob!r} names more than {_MOST_FILES} files; the rest is left out")
                break
            found[path] = Included(path=path, digest=_digest(path))
        if len(found) == before:
            notes.append(f"include: {glob!r} names no untracked file")
    return tuple(found[path] for path in sorted(found))


def _files(root: Path, glob: str) -> Iterator[Path]:
    for path in sorted(root.glob(glob)):
        if _has_link(root, path):
            continue
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (one for one in sorted(path.rglob("*")) if one.is_file() and not _has_link(root, one))


def _has_link(root: Path, path: Path) -> bool:
    return any(one.is_symlink() for one in (path, *path.parents) if one != root and one.is_relative_to(root))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
