"""How long something took, and how two things compare that were measured in turns.

CPU time is that of this process and of every child that ended meanwhile and was waited for, theirs included. A
daemon that outlives its caller is not counted.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Clock(StrEnum):
    """What of a sample is compared."""

    CPU = "cpu"
    WALL = "wall"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One measurement, in milliseconds."""

    cpu: float
    wall: float

    def of(self, clock: Clock) -> float:
        """The one the clock says."""
        return self.cpu if clock is Clock.CPU else self.wall


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of two: `before` brings about what `work` needs and is not measured."""

    work: Callable[[], object]
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """What was measured in turns; the same number of samples on both sides."""

    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]

    def median(self, clock: Clock) -> tuple[float, float]:
        """The median of ours and of theirs."""
        return median(self.ours, clock), median(self.theirs, clock)

    def spread(self, clock: Clock) -> tuple[float, float]:
        """The smallest and the largest ratio of one pair."""
        ratios = [a.of(clock) / max(b.of(clock), 0.001) for a, b in zip(self.ours, self.theirs, strict=True)]
        return min(ratios), max(ratios)


def median(samples: Sequence[Sample], clock: Clock) -> float:
    """The median of `samples`, in milliseconds."""
    return statistics.median(sample.of(clock) for sample in samples)


def measured(side: Side) -> Sample:
    """Do it once."""
    side.before()
    wall, cpu = time.perf_counter(), _cpu()
    side.work()
    return Sample(wall=(time.perf_counter() - wall) * 1000, cpu=(_cpu() - cpu) * 1000)


def interleaved(ours: Side, theirs: Side, rounds: int) -> Pairs:
    """Both in turns, the first one of a pair taking turns too: whatever drifts, drifts for both."""
    mine: list[Sample] = []
    other: list[Sample] = []
    for number in range(rounds):
        order = [(ours, mine), (theirs, other)]
        for side, into in order if number % 2 == 0 else reversed(order):
            into.append(measured(side))
    return Pairs(ours=tuple(mine), theirs=tuple(other))


def load() -> float:
    """How many processes wanted a processor over the last minute."""
    return os.getloadavg()[0]


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
