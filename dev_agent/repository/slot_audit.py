"""Does a folder hold what an index says? Judged by kind, mode and time, without reading contents."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dev_agent.repository.listing import parents
from dev_agent.repository.objects import EXECUTABLE, SUBMODULE, SYMLINK

_Print = tuple[str, int]
_FOLDER: _Print = ("folder", 0)


def altered_paths(
    folder: Path, entries: Mapping[str, tuple[str, str]], time_of: Callable[[str], int]
) -> tuple[str, ...]:
    """The paths, sorted, where `folder` differs from `entries` (path → mode and object id).

    `time_of` gives the modification time a file with that object id should have.
    """
    wanted = {parent: _FOLDER for path in entries for parent in parents(path)}
    wanted.update({path: _wanted(mode, time_of(object_id)) for path, (mode, object_id) in entries.items()})
    found = dict(_found(folder, ""))
    return tuple(sorted(path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path)))


def _wanted(mode: str, seconds: int) -> _Print:
    if mode == SUBMODULE:
        return _FOLDER
    if mode == SYMLINK:
        return "symlink", seconds
    return ("0755" if mode == EXECUTABLE else "0644"), seconds


def _found(folder: Path, prefix: str) -> Iterator[tuple[str, _Print]]:
    pending = [(os.fspath(folder), prefix)]
    while pending:
        here, above = pending.pop()
        with os.scandir(here) as listing:
            for entry in listing:
                path = above + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, path + "/"))
                yield path, _print(entry.stat(follow_symlinks=False))


def _print(status: os.stat_result) -> _Print:
    if stat.S_ISDIR(status.st_mode):
        return _FOLDER
    kind = "symlink" if stat.S_ISLNK(status.st_mode) else f"{stat.S_IMODE(status.st_mode):04o}"
    # A special file (a pipe, a socket) has no business here, whatever its mode and time.
    regular = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
    return (kind if regular else "special"), int(status.st_mtime)
