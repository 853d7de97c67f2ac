"""Files that could not go back to their place, because the user had put something else there.

    kept-<id>/
        paths      JSON: file name here -> path in the work tree
        <n>-<name> the file

Nothing in such a folder is ever removed by us; it is reported by every recovery until the user has removed it.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.landing.folders import split
from dev_agent.repository.landing.transaction import Transaction, home_of
from dev_agent.repository.rename import Place
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Step

_PREFIX = "kept-"
_LIST = "paths"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A folder of kept files; `files` are pairs (path in the work tree, file that holds the bytes)."""

    folder: Path
    files: tuple[tuple[str, Path], ...]


def keep(tx: Transaction, step: Step, place: Place) -> Path:
    """Move what is at `place` to the kept files.

    Killed here: it is at one of the two places, and the next recovery goes on.
    """
    folder = tx.kept
    folder.mkdir(mode=0o700, exist_ok=True)
    target = _free(folder, f"{step.n}-{split(step.path)[1]}")
    _note(folder, target.name, step.path)
    try:
        os.rename(place.name, target, src_dir_fd=place.folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(place, target)
        os.unlink(place.name, dir_fd=place.folder)
    return target


def _copy(place: Place, target: Path) -> None:
    """From another file system. Killed before the original is removed: it is kept a second time."""
    info = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    if stat.S_ISLNK(info.st_mode):
        target.symlink_to(os.readlink(place.name, dir_fd=place.folder))
        return
    fd = os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.folder)
    with open(fd, "rb") as old, target.open("xb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())
    target.chmod(stat.S_IMODE(info.st_mode))


def _free(folder: Path, name: str) -> Path:
    count = 0
    while os.path.lexists(folder / f"{name}{'.' * count}"):
        count += 1
    return folder / f"{name}{'.' * count}"


def _note(folder: Path, name: str, path: str) -> None:
    noted = {**_noted(folder), name: path}
    temporary = folder / f"{_LIST}.tmp"
    temporary.write_text(json.dumps(noted, sort_keys=True), encoding="ascii")
    temporary.rename(folder / _LIST)


def _noted(folder: Path) -> dict[str, str]:
    try:
        value = json.loads((folder / _LIST).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(path) for name, path in value.items()} if isinstance(value, dict) else {}


def all_kept(repository: Repository) -> tuple[Kept, ...]:
    """Every folder of kept files of this work tree."""
    home = home_of(repository)
    try:
        names = sorted(entry.name for entry in os.scandir(home) if entry.name.startswith(_PREFIX))
    except FileNotFoundError:
        return ()
    return tuple(_read(home / name) for name in names)


def _read(folder: Path) -> Kept:
    noted = _noted(folder)
    files = [(path, folder / name) for name, path in sorted(noted.items()) if os.path.lexists(folder / name)]
    return Kept(folder=folder, files=tuple(files))
