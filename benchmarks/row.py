"""A row of the table: what was compared, the goal, and whether it was met. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Clock, Pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`met` is None where nothing could be measured; `note` says why, or how it was measured."""

    name: str
    what: str
    ours: str
    theirs: str
    ratio: str
    goal: str
    met: bool | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields as they are."""
        return {name: getattr(self, name) for name in self.__slots__}


def compared(
    name: str,
    what: str,
    pairs: Pairs,
    *,
    theirs: str,
    at_most: float,
    clock: Clock = Clock.CPU,
    allowance: float = 0.0,
) -> Row:
    """Ours against theirs: the ratio of the medians, at most `at_most` after `allowance` milliseconds."""
    mine, other = pairs.median(clock)
    ratio = mine / max(other, 0.001)
    low, high = pairs.spread(clock)
    goal = f"<= {_factor(at_most)}" + (f" + {allowance:.0f} ms" if allowance else "")
    return Row(
        name=name,
        what=what,
        ours=f"{_ms(mine)} {clock.value}",
        theirs=f"{_ms(other)} {theirs}",
        ratio=_factor(ratio),
        goal=goal,
        met=mine <= other * at_most + allowance,
        note=f"{len(pairs.ours)} pairs, each {_factor(low)} to {_factor(high)}",
    )


def limited(name: str, what: str, value: float, *, at_most: float, unit: str, note: str = "") -> Row:
    """One number against a limit."""
    return Row(
        name=name,
        what=what,
        ours=f"{value:.4g} {unit}",
        theirs="",
        ratio="",
        goal=f"<= {at_most:.4g} {unit}",
        met=value <= at_most,
        note=note,
    )


def at_least(name: str, what: str, value: float, *, goal: float, unit: str, note: str = "") -> Row:
    """One number that may not be less than a limit."""
    return Row(
        name=name,
        what=what,
        ours=f"{value:.4g} {unit}",
        theirs="",
        ratio="",
        goal=f">= {goal:.4g} {unit}",
        met=value >= goal,
        note=note,
    )


def not_measured(name: str, what: str, why: str) -> Row:
    """A row without numbers. It is never a pass."""
    return Row(name=name, what=what, ours="not measured", theirs="", ratio="", goal="", met=None, note=why)


def _ms(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2f} ms"


def _factor(value: float) -> str:
    return f"x{value:.2f}" if value >= 0.1 else f"x1/{1 / max(value, 1e-9):.0f}"
