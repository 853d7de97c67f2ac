"""What dev-agent keeps only to be faster: private work trees, mypy's caches, verdicts, the index of `context`, and what
the workers of a cluster on this machine learned about the repository.

Each thing can be made again, and is dropped alone: a slot or a cache of mypy's under its own lock, which stays
(whoever waits at its name must find the same file), so never while somebody uses it; a verdict or a piece of the
index by unlinking one file, which whoever wants it now misses and makes again. Killed at any line, a slot says it is
nowhere, a cache of mypy's lies under a name that its next lease clears away, and the rest is as it was. What a worker
keeps is dropped only while no worker has its folder (`cluster.kept`).

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
    WORKER = "worker"
    SHIPPED = "shipped"
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
    found = [*_slots(repository), *_caches(repository), *_verdicts(repository), *_of_workers(repository)]
    return tuple(sorted(found, key=lambda one: (one.used, one.name)))


def names_of(repository: Repository) -> tuple[str, ...]:
    """The large things there are, by name: two listings, whatever their size."""
    folders = (_slots_folder(repository), _cache_folder(repository) / _MYPY)
    found = [f"{folder.name}/{one.name}" for folder in folders if folder.is_dir() for one in folder.iterdir()]
    return tuple(sorted((*found, *_names_of_workers(repository))))


def drop(repository: Repository, one: Stored) -> bool:
    """Remove a thing; False if somebody uses it now. Raises OSError."""
    if one.kind is StoredKind.SLOT:
        return free_slot(repository, one.name)
    if one.kind is StoredKind.MYPY:
        return drop_cache(one.path)
    if one.kind in (StoredKind.WORKER, StoredKind.SHIPPED):
        from dev_agent.cluster.kept import drop_kept  # noqa: PLC0415 - only where there was a cluster

        return drop_kept(_worker_of(repository, one.path), one.path)
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


def _names_of_workers(repository: Repository) -> Iterator[str]:
    for worker in _workers(repository):
        from dev_agent.cluster.kept import large_things  # noqa: PLC0415 - only where there was a cluster

        yield from (_name_of(repository, one) for one in large_things(worker))


def _of_workers(repository: Repository) -> Iterator[Stored]:
    for worker in _workers(repository):
        from dev_agent.cluster.kept import is_held, kept_things  # noqa: PLC0415 - only where there was a cluster

        busy = is_held(worker)
        for one in kept_things(worker):
            yield Stored(
                kind=StoredKind.SHIPPED if one.shipped else StoredKind.WORKER,
                name=_name_of(repository, one.path),
                path=one.path,
                bytes=one.bytes,
                used=one.used,
                busy=busy,
            )


def _workers(repository: Repository) -> list[Path]:
    """The folders of the workers that commands started here."""
    folder = _cluster_folder(repository)
    return sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def _worker_of(repository: Repository, path: Path) -> Path:
    folder = _cluster_folder(repository)
    return folder / path.relative_to(folder).parts[0]


def _name_of(repository: Repository, path: Path) -> str:
    return str(path.relative_to(_cluster_folder(repository)))


def _cluster_folder(repository: Repository) -> Path:
    return repository.state_dir / "cluster"


def _time_of(path: Path) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


def _slots_folder(repository: Repository) -> Path:
    return repository.state_dir / "slots"


def _cache_folder(repository: Repository) -> Path:
    return repository.state_dir / "cache"
