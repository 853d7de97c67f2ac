"""mypy's cache directories: one for each environment, lent to one run at a time, warm from the first run on.

    <folder>/<key>-<n>/        given to mypy, writable to nothing else
    <folder>/<key>-<n>.lock    whoever holds its flock has the directory; touched at each lease
    <folder>/<key>-<n>.seed/   a copy on its way in

A directory is lent to one run because two mypys in one are not safe; who cannot have the first takes the next. An
empty one is seeded: from another of the same environment, else from the user's own cache, else from the one used
last for another environment (mypy itself checks versions, options and hashes of what it finds).

Death at any line leaves a directory as mypy left it, which mypy checks when it reads, or a partial `.seed`, which
the next lease removes. `lock` stays for ever: whoever waits at a name must find the same file.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev_agent.gates.mypy_seed import Seed, copy_whole
from dev_agent.sandbox.scratch import remove_tree
from dev_agent.values import dataclass

_SEED = ".seed"
_VERSION = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class MypyCache:
    """A leased directory."""

    path: Path

    @property
    def is_empty(self) -> bool:
        """True if mypy would start cold."""
        return not _versions(self.path)

    def forget(self) -> None:
        """Empty it. Killed in between, mypy takes the rest for what it is: a cache that lacks entries."""
        remove_tree(self.path)
        self.path.mkdir(mode=0o755)


@contextmanager
def leased_cache(folder: Path, key: str, seed: Seed | None = None) -> Iterator[MypyCache]:
    """A cache directory for `key` that nobody else uses meanwhile; it stays for the next run.

    `seed` is the user's own cache, where it may be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count():
        place = folder / f"{key[:24]}-{number}"
        lock = lock_of(place)
        if lock is None:
            continue
        try:
            place.mkdir(exist_ok=True)
            os.utime(lock)
            cache = MypyCache(path=place)
            if cache.is_empty:
                _sow(place, [*_others(folder, place), *([seed] if seed else []), *_elsewhere(folder, place)])
            yield cache
        finally:
            os.close(lock)
        return


def lock_of(place: Path) -> int | None:
    """A descriptor holding the lock of a cache directory, None if somebody has it."""
    lock = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def is_lent(place: Path) -> bool:
    """True if somebody has the directory now."""
    if not Path(f"{place}.lock").exists():
        return False
    lock = lock_of(place)
    if lock is None:
        return True
    os.close(lock)
    return False


def drop_cache(place: Path) -> bool:
    """Remove a cache directory (or a left-over `.seed`), but not its lock; False if somebody has it now.

    It is renamed first, to where the next lease clears away: killed in between, no half cache is believed.
    """
    whole = place.with_name(place.name.removesuffix(_SEED))
    lock = lock_of(whole)
    if lock is None:
        return False
    try:
        doomed = whole.with_name(whole.name + _SEED)
        if place != doomed:
            remove_tree(doomed)
            place.rename(doomed)
        remove_tree(doomed)
    finally:
        os.close(lock)
    return True


def _others(folder: Path, place: Path) -> list[Seed]:
    """Directories of the same environment."""
    key = place.name.rpartition("-")[0]
    return [one for one in _ours(folder, place) if one.path.name.rpartition("-")[0] == key]


def _elsewhere(folder: Path, place: Path) -> list[Seed]:
    key = place.name.rpartition("-")[0]
    return [one for one in _ours(folder, place) if one.path.name.rpartition("-")[0] != key][:1]


def _ours(folder: Path, place: Path) -> list[Seed]:
    """The other directories, the one used last first."""
    locks = sorted(folder.glob("*.lock"), key=lambda one: one.lstat().st_mtime_ns, reverse=True)
    places = [one.with_suffix("") for one in locks]
    return [Seed(path=one, owners=None) for one in places if one != place and one.is_dir()]


def _sow(place: Path, seeds: Sequence[Seed]) -> None:
    """Put the first seed that can be copied whole into the empty directory."""
    copy = place.with_name(place.name + _SEED)
    remove_tree(copy)
    for seed in seeds:
        if copy_whole(seed, copy):
            for version in _versions(copy):
                (copy / version).rename(place / version)
            remove_tree(copy)
            if _versions(place):
                return


def _versions(place: Path) -> list[str]:
    """mypy keeps a folder for each version of Python it checks for."""
    return sorted(one.name for one in place.iterdir() if _VERSION.fullmatch(one.name))
