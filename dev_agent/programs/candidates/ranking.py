"""Which of several judged candidates goes on: a total order, so that the same answers always give the same winner.

    1. policy lets it through at all
    2. what the gates say, and among red ones the fewest new failures
    3. a test of its own shows the task to be solved, where that was asked for
    4. nothing in it waits for a person
    5. the fewest public names touched
    6. the fewest lines outside of the tests, then the fewest lines: a regression test is no burden
    7. the one that was asked for first

No two candidates have the same number, so no two compare equal, and the order they were judged in is nowhere. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dev_agent.values import dataclass


class Standing(StrEnum):
    """What came of a candidate. Everything but `green` and `asked` would be refused as it is."""

    GREEN = "green"
    ASKED = "asked"  # green, and policy wants a person
    RED = "red"
    ERROR = "error"  # a gate learned nothing
    DENIED = "denied"
    UNRESOLVED = "unresolved"  # no edits, or none that fit the base
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    UNJUDGED = "unjudged"  # a better one was there first

    @property
    def lands(self) -> bool:
        """True if nothing is against it but perhaps a person."""
        return self in (Standing.GREEN, Standing.ASKED)


# Green and asked are one step here: evidence for the solution is worth a person's question.
_STEPS = (
    (Standing.GREEN, Standing.ASKED),
    (Standing.RED,),
    (Standing.ERROR,),
    (Standing.UNJUDGED,),
    (Standing.DENIED,),
    (Standing.UNRESOLVED,),
    (Standing.EMPTY,),
    (Standing.DUPLICATE,),
)
_STEP = {standing: step for step, standings in enumerate(_STEPS) for standing in standings}


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What is known of one candidate. `number` counts from 1 in the order of asking and is unique.

    `failures` are new ones over all gates; `reproduced` is True if a test it brings shows the task to be solved, and
    False also where nobody asked. `twin` is the number of the candidate a duplicate equals.
    """

    number: int
    standing: Standing
    failures: int = 0
    reproduced: bool = False
    public: int = 0
    source_lines: int = 0
    lines: int = 0
    twin: int = 0

    @property
    def order(self) -> tuple[int, int, bool, bool, int, int, int, int]:
        """Smaller is better."""
        return (
            _STEP[self.standing],
            self.failures,
            not self.reproduced,
            self.standing is Standing.ASKED,
            self.public,
            self.source_lines,
            self.lines,
            self.number,
        )


def ranked(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Best first. Raises ValueError if two have one number."""
    ordered = tuple(sorted(candidates, key=lambda one: one.order))
    if len({one.number for one in ordered}) != len(ordered):
        raise ValueError("two candidates have the same number")
    return ordered


def best(candidates: Iterable[Candidate]) -> Candidate:
    """The first of `ranked`. Raises ValueError if there is none."""
    return ranked(candidates)[0]
