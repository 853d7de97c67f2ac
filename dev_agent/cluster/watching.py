"""Waiting for one task with open eyes: what a scheduler knows of its workers, and when waiting has become pointless.

    nobody is there to do it · the worker that has it says nothing, or is at work for too long · the scheduler is mute ·
    it stands in line at a busy worker, while another one has nothing to do

The engine gives a task to a worker when it is asked for, and moves it to another only if it knows how long tasks take,
which here nobody does: a check of a second would wait behind a suite of an hour. So whoever waits looks for that too.

Every time is this machine's own: how long something has not changed, never what another machine's clock says. Knows no
engine; whoever has a connection is asked through `Eyes`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from dev_agent.cluster.faults import Loss, Setback
from dev_agent.values import dataclass

LOOK_S = 1.0
_STACK_S = 5.0
_LINE_S = 2.0
"""For so long it has to stand in line while somebody has nothing to do: a worker is idle between two tasks, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long is waited for what, in seconds.

    A connection · a lost scheduler · any worker · a worker that was there and is gone · a word of one that is there.
    """

    connect_s: float = 10.0
    scheduler_s: float = 60.0
    nobody_s: float = 60.0
    gone_s: float = 5.0
    silent_s: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A worker as its scheduler knows it; `heard` changes whenever it says that it lives."""

    address: str
    name: str
    slots: int
    heard: float


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the scheduler knows now: its workers, and which of them has which task."""

    workers: Mapping[str, Worker] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is asked of a worker: a function of ours with its arguments, of one of `only` if that names any.

    `deadline_s` is for the work itself, from when a worker has begun it. `near`: `only` is where it is done soonest,
    and whoever has nothing to do may do it just as well.
    """

    function: Callable[..., bytes]
    arguments: tuple[bytes | str | int, ...]
    deadline_s: float
    only: tuple[str, ...] = ()
    near: bool = False


class Eyes(Protocol):
    """What a connection can tell of a cluster."""

    @property
    def url(self) -> str:
        """Where the scheduler is."""
        ...

    @property
    def blind_s(self) -> float:
        """For how long the scheduler itself has said nothing, though it was asked."""
        ...

    def explain(self) -> str:
        """Why there may be no workers, "" if that is not known."""
        ...

    def view(self) -> View:
        """What the scheduler knew a moment ago."""
        ...

    def silent_s(self, address: str) -> float:
        """For how long the scheduler has heard nothing of a worker."""
        ...

    def running(self, key: str) -> bool | None:
        """True if a worker is at work on the task; None if nobody says."""
        ...


class Watch:
    """Looks at one task from time to time, and says when waiting for it has become pointless."""

    def __init__(
        self,
        link: Eyes,
        key: str,
        asked: Asked,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link, self._key, self._asked, self._patience = link, key, asked, patience
        self._clock = clock
        self._next = clock() + LOOK_S
        self._nobody_since = 0.0
        self._stack_at = 0.0
        self._running_since = 0.0
        self._line_since = 0.0
        self._where = ""

    def look(self) -> Setback | None:
        """None while it is worth waiting."""
        now = self._clock()
        if now < self._next:
            return None
        self._next = now + LOOK_S
        view = self._link.view()
        if self._link.blind_s > self._patience.scheduler_s:
            return Setback(
                kind=Loss.SCHEDULER, said=f"the scheduler has said nothing for {self._link.blind_s:.0f} s"
            )
        found = self._nobody(view, now)
        where = view.tasks.get(self._key)
        return found or (self._stuck(where, now) or self._in_line(view, where, now) if where else None)

    def _nobody(self, view: View, now: float) -> Setback | None:
        if any(address in view.workers for address in self._asked.only or view.workers):
            self._nobody_since = 0.0
            return None
        self._nobody_since = self._nobody_since or now
        # What was to be done by a worker that is gone can be done by another.
        patience = self._patience.gone_s if self._asked.only else self._patience.nobody_s
        if now - self._nobody_since < patience:
            return None
        if self._asked.only:
            return Setback(kind=Loss.LOST, said="the worker has left", worker=", ".join(self._asked.only))
        return Setback(
            kind=Loss.NOBODY,
            said=f"the cluster at {self._link.url} has no workers",
            hint=self._link.explain() or f"start some: dev-agent worker {self._link.url}",
        )

    def _stuck(self, where: str, now: float) -> Setback | None:
        silent = self._link.silent_s(where)
        if silent > self._patience.silent_s:
            return Setback(
                kind=Loss.SILENT, said=f"the worker has said nothing for {silent:.0f} s", worker=where
            )
        if where != self._where:
            # The engine gave it to another worker, whose time begins anew.
            self._where, self._stack_at, self._running_since, self._line_since = where, 0.0, 0.0, 0.0
        if now - self._stack_at > _STACK_S and not self._running_since:
            self._stack_at = now
            self._running_since = now if self._link.running(self._key) else 0.0
        if self._running_since and now - self._running_since > self._asked.deadline_s:
            return Setback(
                kind=Loss.SLOW,
                said=f"the worker has not answered within {self._asked.deadline_s:.0f} s",
                worker=where,
            )
        return None

    def _in_line(self, view: View, where: str, now: float) -> Setback | None:
        """A setback once it has not begun, though somebody else could have, and the worker says so itself."""
        if self._running_since or not self._is_crowded(view, where):
            self._line_since = 0.0
            return None
        self._line_since = self._line_since or now
        if now - self._line_since < _LINE_S or self._link.running(self._key) is not False:
            return None
        return Setback(kind=Loss.LINE, said="it stands in line while another worker is idle", worker=where)

    def _is_crowded(self, view: View, where: str) -> bool:
        """True if that worker has more tasks than slots, and another one that may be asked has fewer."""
        crowd = Counter(view.tasks.values())
        has = view.workers.get(where)
        if has is None or crowd[where] <= has.slots:
            return False
        allowed = view.workers if self._asked.near or not self._asked.only else self._asked.only
        return any(one in view.workers and crowd[one] < view.workers[one].slots for one in allowed)


def slots_of(view: View) -> int:
    """How many questions a cluster answers at a time."""
    return sum(one.slots for one in view.workers.values())
