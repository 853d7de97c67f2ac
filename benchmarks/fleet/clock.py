"""Simulated time: calls in the order of their moments, and stations that serve one thing after the other."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clock:
    """`now` in seconds. Calls for the same moment are made in the order they were asked for."""

    now: float = 0.0
    _calls: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _asked: int = 0

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Make `call` when `seconds` have passed."""
        if seconds < 0:
            raise ValueError(f"time does not go back by {seconds} s")
        self._asked += 1
        heapq.heappush(self._calls, (self.now + seconds, self._asked, call))

    def run(self) -> None:
        """Until nothing is left to be called."""
        while self._calls:
            self.now, _, call = heapq.heappop(self._calls)
            call()


@dataclass
class Station:
    """Serves up to `capacity` things at a time, first come, first served; `busy` is all the time it has given."""

    clock: Clock
    capacity: int = 1
    busy: float = 0.0
    _serving: int = 0
    _line: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)

    def serve(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` once this has been waited for and served."""
        if seconds == 0 and not self._line and self._serving < self.capacity:
            then()
            return
        self._line.append((seconds, then))
        self._start()

    def _start(self) -> None:
        while self._line and self._serving < self.capacity:
            seconds, then = self._line.popleft()
            self._serving += 1
            self.busy += seconds
            self.clock.after(seconds, lambda then=then: self._served(then))  # type: ignore[misc]

    def _served(self, then: Callable[[], None]) -> None:
        self._serving -= 1
        self._start()
        then()
