"""What the runtime asks of its host: a clock, a request to stop, and somebody to report to.

The runtime has none of its own, so a test (or a replay) decides every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Clock(Protocol):
    """Time, as the host sees it."""

    def now(self) -> str:
        """Return the wall time as RFC 3339 UTC text, e.g. `2026-11-22T10:00:00.123Z`; only recorded."""
        ...

    def monotonic_ms(self) -> int:
        """Return milliseconds that never go backwards; only differences are used."""
        ...


class Cancel(Protocol):
    """A request to stop that may come from a signal handler at any instant."""

    @property
    def requested(self) -> bool:
        """True once somebody asked to stop."""
        ...

    def request(self) -> None:
        """Ask to stop."""
        ...

    def shielded(self) -> AbstractContextManager[None]:
        """Hold interruptions off while inside; a KeyboardInterrupt held back is raised on leaving."""
        ...


class NeverCancelled:
    """The Cancel of a host that never interrupts from outside."""

    def __init__(self) -> None:
        self._requested = False

    @property
    def requested(self) -> bool:
        """True once `request` was called."""
        return self._requested

    def request(self) -> None:
        """Ask to stop before the next state."""
        self._requested = True

    def shielded(self) -> AbstractContextManager[None]:
        """Nothing to hold off."""
        return nullcontext()


class Reporter:
    """Watches a run; every method does nothing here. All calls come from the thread that drives the engine,
    after the event they tell about is in the journal. An exception raised here ends the drive as a crash
    would: the run stays resumable.
    """

    def entered(self, state: str, attempt: int) -> None:
        """Called when a state was entered, before its action runs."""

    def left(self, state: str, outcome: str, ms: int) -> None:
        """Called when a state was left by the edge of `outcome`."""

    def retried(self, state: str, outcome: str, wait_ms: int) -> None:
        """Called when an attempt ended in an outcome that is tried again, before waiting."""

    def spent(self, state: str, cost: Mapping[str, int], total: Mapping[str, int]) -> None:
        """Called before `left` or `retried` if the attempt cost something; `total` is the run's so far."""

    def branch_started(self, state: str, branch: str) -> None:
        """Called when a branch of a parallel state was handed to a thread."""

    def branch_left(self, state: str, branch: str, outcome: str, ms: int) -> None:
        """Called when a branch's action returned; in order of completion, not of the trace."""

    def progressed(self, text: str) -> None:
        """Called while an action works, as often as it likes and from any thread: how far it has come."""

    def noted(self, text: str) -> None:
        """Called with a line for a person: a budget exceeded, a run resumed."""
