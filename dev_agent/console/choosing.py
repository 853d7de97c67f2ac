"""Which runs a page shows, and what they add up to by day. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from dev_agent.console.index import Row
from dev_agent.programs.cost import FREE, MONEY, Cost
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What a person chose; an empty part chooses everything. `words` all have to stand in the task or the id."""

    outcomes: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    proposers: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    words: str = ""

    def takes(self, row: Row) -> bool:
        """True if the run is among the chosen."""
        day = day_of(row)
        text = f"{row.task} {row.run} {row.reason}".lower()
        return (
            (not self.outcomes or row.outcome in self.outcomes)
            and (not self.programs or row.program in self.programs)
            and (not self.proposers or row.proposer in self.proposers)
            and (self.since is None or (day is not None and day >= self.since))
            and (self.until is None or (day is not None and day <= self.until))
            and all(word in text for word in self.words.lower().split())
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The runs of one day: how many there were, how many landed or were verified, and their time in milliseconds."""

    day: date
    runs: int
    good: int
    ms: int
    money: int


def day_of(row: Row) -> date | None:
    """The day a run began, None if its trace does not say."""
    try:
        return date.fromisoformat(row.started[:10])
    except ValueError:
        return None


def by_day(rows: Iterable[Row]) -> tuple[Day, ...]:
    """The days on which there were runs, oldest first."""
    found: dict[date, list[Row]] = {}
    for row in rows:
        day = day_of(row)
        if day is not None:
            found.setdefault(day, []).append(row)
    return tuple(
        Day(
            day=day,
            runs=len(of_day),
            good=sum(row.outcome in ("committed", "verified", "no_change") for row in of_day),
            ms=sum(row.ms for row in of_day),
            money=spent(of_day).micro_usd,
        )
        for day, of_day in sorted(found.items())
    )


def spent(rows: Iterable[Row]) -> Cost:
    """What models cost these runs together; calls of an unknown price make the sum a lower bound, or unknown."""
    total = FREE
    for row in rows:
        known = {**row.cost, MONEY: row.cost.get("money_known", row.cost.get(MONEY, 0))}
        total = total.and_of(Cost.of(known))
    return total


def values(rows: Sequence[Row], name: str) -> list[str]:
    """Every value of a column that is a word, in order."""
    return sorted({str(getattr(row, name)) for row in rows} - {""})
