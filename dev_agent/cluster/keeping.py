"""How much a worker keeps: what was used longest ago goes first, and never what is in use.

Everything here can be had again: files and objects are shipped anew, environments made anew, verdicts found anew. What
was used when is this machine's own order; no other clock has a say. Death at any line: each part says so for itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from dev_agent.cluster.building import last_used
from dev_agent.cluster.environments import Environments
from dev_agent.cluster.frozen import SHA256
from dev_agent.cluster.mirrors import Mirrors
from dev_agent.cluster.store import Store
from dev_agent.repository.pruning import size_of
from dev_agent.values import dataclass

_EVERY_S = 300.0
_ROOM = 0.9
"""Once the limit is passed, the part of it that may stay: so that not every job has something dropped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One thing: its bytes, when it was used last, and how to drop it (False: somebody uses it)."""

    name: str
    bytes: int
    used: int
    drop: Callable[[], bool]


class Keeping:
    """The limit on all that a worker keeps, in bytes."""

    def __init__(
        self,
        limit: int,
        store: Store,
        mirrors: Mirrors,
        environments: Environments,
        forget: Callable[[str], None],
    ) -> None:
        """`forget` is told the key of a mirror before it is dropped."""
        self._limit = limit
        self._store, self._mirrors, self._environments = store, mirrors, environments
        self._forget = forget
        self._lock = threading.Lock()
        self._looked = time.monotonic()

    def now_and_then(self) -> None:
        """Look, if nobody has for some minutes; a walk over everything that is kept."""
        with self._lock:
            due = time.monotonic() - self._looked > _EVERY_S
            if due:
                self._looked = time.monotonic()
        if due:
            self.collect()

    def collect(self, limit: int | None = None) -> tuple[str, ...]:
        """Drop what is beyond the limit; the names of what went. What cannot be removed stays."""
        most = self._limit if limit is None else limit
        kept = sorted(self.kept(), key=lambda one: (one.used, one.name))
        total = sum(one.bytes for one in kept)
        if total <= most:
            return ()
        gone = []
        for one in kept:
            if total <= most * _ROOM:
                break
            with suppress(OSError):
                if one.drop():
                    total -= one.bytes
                    gone.append(one.name)
        return tuple(gone)

    def kept(self) -> Iterator[Kept]:
        """Everything that could be dropped."""
        for held in self._store.held():
            yield Kept(
                name=f"file {held.sha256[:12]}",
                bytes=held.bytes,
                used=held.used,
                drop=partial(self._store.drop, held.sha256),
            )
        for key in self._mirrors.names():
            yield Kept(
                name=f"mirror {key[:12]}",
                bytes=size_of(self._mirrors.place(key)),
                used=self._mirrors.last_used(key),
                drop=partial(self._drop_mirror, key),
            )
        for place in _folders(self._environments.folder):
            yield Kept(
                name=f"environment {place.name[:12]}",
                bytes=size_of(place),
                used=last_used(place),
                drop=partial(self._environments.drop, place.name),
            )

    def _drop_mirror(self, key: str) -> bool:
        self._forget(key)
        return self._mirrors.drop(key)


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if SHA256.fullmatch(one.name)) if folder.is_dir() else []
