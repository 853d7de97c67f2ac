"""Where a fresh mypy cache can be copied from, and copying it only if the copy is sure to be whole.

The user's own cache is read, never written, never locked: mypy may be writing to it this moment. A copy counts
if nothing of the source differs from before to after (names, inodes, sizes, times to the nanosecond), nothing is
so young that a clock tick could hide a second write, and no journal of SQLite lies beside a database. Any
doubt: no copy, and mypy starts cold.

Not taken at all is a cache that somebody else than the user could have filled: one of which git tracks anything
(a branch that was checked out would bring its own), one that others may write, one behind a symlink. Files of the
judged tree are compared with a cache by hash only (see `runner/typecheck.py`), so a stale one cannot hide a change.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from dev_agent.sandbox.scratch import copy_tree, remove_tree
from dev_agent.values import dataclass

_DEFAULT = ".mypy_cache"
_MOST_BYTES = 1 << 30
_MOST_FILES = 100_000
_TICK_NS = 100_000_000
_JOURNALS = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seed:
    """A cache directory and the users its files may belong to; None: whoever, the place itself is ours."""

    path: Path
    owners: frozenset[int] | None


def users_cache(root: Path, configured: str, variable: str) -> Path | None:
    """The cache directory of the user's own mypy runs in `root`; None if they switched it off.

    MYPY_CACHE_DIR (`variable`) wins over `cache_dir` of mypy's settings, as it does for mypy.
    """
    chosen = variable or configured or _DEFAULT
    if chosen.startswith(os.devnull):
        return None
    return Path(os.path.normpath(root / Path(chosen).expanduser()))


def copy_whole(seed: Seed, target: Path) -> bool:
    """Copy the seed to a new directory `target`; False, and nothing there, if it may not be whole or not be trusted.

    Killed in between, a part stays at `target`: whoever makes room there again removes it first.
    """
    try:
        before = _signature(seed)
        if not before:
            return False
        copy_tree(seed.path, target)
        if _signature(seed) == before:
            return True
    except OSError:
        pass
    remove_tree(target)
    return False


def _signature(seed: Seed) -> Mapping[str, tuple[int, ...]]:
    """What identifies the content of every file; empty if there is none, or some doubt."""
    if seed.path.is_symlink() or not seed.path.is_dir():
        return {}
    found: dict[str, tuple[int, ...]] = {}
    newest = total = 0
    for folder, folders, names in os.walk(seed.path, onerror=_refuse):
        for name in (".", *folders, *names):
            status = os.lstat(f"{folder}/{name}")
            newest = max(newest, status.st_mtime_ns)
            if not _is_trusted(status, seed.owners) or name.endswith(_JOURNALS):
                return {}
            if stat.S_ISREG(status.st_mode):
                total += status.st_size
                found[f"{folder}/{name}"] = (
                    status.st_ino,
                    status.st_size,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                )
    doubtful = total > _MOST_BYTES or len(found) > _MOST_FILES or time.time_ns() - newest < _TICK_NS
    return {} if doubtful else found


def _is_trusted(status: os.stat_result, owners: frozenset[int] | None) -> bool:
    plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    if owners is None:
        return plain
    return plain and status.st_uid in owners and not status.st_mode & stat.S_IWOTH


def _refuse(error: OSError) -> None:
    raise error
