"""What dev-agent keeps only to be faster: private work trees, mypy's caches, verdicts, the index of `context`.

Each thing can be made again, and is dropped alone: a slot or a cache of mypy's under its own lock, which stays
(whoever waits at its name must find the same file), so never while somebody uses it; a verdict or a piece of the
index by unlinking one file, which whoever wants it now misses and makes again. Killed at any line, a slot says it is
nowhere, a cache of mypy's lies under a name that its next lease clears away, and the rest is as it was.

When a thing was used last is the time of a file of its own: the lock of a slot and of a cache, the entry itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.gates.mypy_cache import drop_cache, is_lent
from dev_agent.repository.pruning import free_slot, size_of, slots_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_MYPY = "mypy"
_SEED = ".seed"
_CONTEXT = "context"


class StoredKind(StrEnum):
    """The kinds of things that are kept."""

    SLOT = "slot"
    MYPY = "mypy"
    VERDICTS = "verdicts"
    INDEX = "index"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One thing, with the bytes it takes on the disk and when it was used last (nanoseconds since 1970)."""

    kind: StoredKind
    name: str
    path: Path
    bytes: int
    used: int
    busy: bool = False


def stored(repository: Repository) -> tuple[Stored, ...]:
    """Everything that is kept, what was used longest ago first. Walks all of it."""
    found = [*_slots(repository), *_caches(repository), *_verdicts(repository)]
    return tuple(sorted(found, key=lambda one: (one.used, one.name)))


def names_of(repository: Repository) -> tuple[str, ...]:
    """The large things there are, by name: two listings, whatever their size."""
    folders = (_slots_folder(repository), _cache_folder(repository) / _MYPY)
    return tuple(
        sorted(
            f"{folder.name}/{one.name}" for folder in folders if folder.is_dir() for one in folder.iterdir()
        )
    )


def drop(repository: Repository, one: Stored) -> bool:
    """Remove a thing; False if somebody uses it now. Raises OSError."""
    if one.kind is StoredKind.SLOT:
        return free_slot(repository, one.name)
    if one.kind is StoredKind.MYPY:
        return drop_cache(one.path)
    one.path.unlink(missing_ok=True)
    with suppress(OSError):  # the last of its folder, or not
        one.path.parent.rmdir()
    return True


def _slots(repository: Repository) -> Iterator[Stored]:
    for slot in slots_of(repository):
        path = _slots_folder(repository) / slot.name
        yield Stored(
            kind=StoredKind.SLOT,
            name=slot.name,
            path=path,
            bytes=slot.bytes,
            used=_time_of(path / "lock"),
            busy=slot.busy,
        )


def _caches(repository: Repository) -> Iterator[Stored]:
    folder = _cache_folder(repository) / _MYPY
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir():
            whole = path.with_name(path.name.removesuffix(_SEED))
            yield Stored(
                kind=StoredKind.MYPY,
                name=path.name,
                path=path,
                bytes=size_of(path),
                used=_time_of(Path(f"{whole}.lock")),
                busy=is_lent(whole),
            )


def _verdicts(repository: Repository) -> Iterator[Stored]:
    folder = _cache_folder(repository)
    for path in sorted(folder.glob("*/??/*")):
        if path.parts[-3] != _MYPY and path.is_file():
            yield Stored(
                kind=StoredKind.INDEX if path.parts[-3] == _CONTEXT else StoredKind.VERDICTS,
                name=str(path.relative_to(folder)),
                path=path,
                bytes=size_of(path),
                used=_time_of(path),
            )


def _time_of(path: Path) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


def _slots_folder(repository: Repository) -> Path:
    return repository.state_dir / "slots"


def _cache_folder(repository: Repository) -> Path:
    return repository.state_dir / "cache"
