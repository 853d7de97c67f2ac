"""A day of heads: when each comes, and what is true of it. Drawn from a seed; the queue learns it by judging only."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 7, 9, 10, 10, 9, 7, 4, 3, 2, 2, 1, 1)
"""How much of a day's work comes in each of its hours: an assumption, four fifths of it from 8 to 18 o'clock."""

_HOUR = 3600.0


class Kind(StrEnum):
    """What judging a head alone on the target says: green; red; now and then red."""

    GOOD = "good"
    BAD = "bad"
    FLAKY = "flaky"


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """`apart` does not merge with this one, `against` is red together with it: numbers of earlier heads, or None.

    `environment`: it changes the lock, so whoever judges it needs an environment nobody has built yet.
    """

    number: int
    at: float
    kind: Kind
    apart: int | None = None
    against: int | None = None
    environment: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """How many of the heads are what: assumptions, but for the command line. `near`: how far back a pair reaches."""

    bad: float = 0.05
    flaky: float = 0.02
    apart: float = 0.01
    against: float = 0.002
    environment: float = 0.002
    near: int = 40


def day(count: int, *, seed: int, shares: Shares, hours: tuple[int, ...] = HOURS) -> tuple[Head, ...]:
    """`count` heads in the order they come, numbered from 0; `at` in seconds since midnight."""
    chance = random.Random(f"day {seed}")
    drawn = chance.choices(range(len(hours)), weights=hours, k=count)
    times = sorted((hour + chance.random()) * _HOUR for hour in drawn)
    return tuple(_head(number, at, chance, shares) for number, at in enumerate(times))


def _head(number: int, at: float, chance: random.Random, shares: Shares) -> Head:
    draw = chance.random()
    kind = Kind.GOOD
    if draw < shares.bad:
        kind = Kind.BAD
    elif draw < shares.bad + shares.flaky:
        kind = Kind.FLAKY
    return Head(
        number=number,
        at=at,
        kind=kind,
        apart=_earlier(number, chance, shares.apart, shares.near),
        against=_earlier(number, chance, shares.against, shares.near),
        environment=chance.random() < shares.environment,
    )


def _earlier(number: int, chance: random.Random, share: float, near: int) -> int | None:
    wanted, back = chance.random() < share, chance.randint(1, near)
    return number - back if wanted and back <= number else None
