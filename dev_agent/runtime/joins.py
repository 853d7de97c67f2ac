"""Join tables of parallel states: what the branches' outcomes add up to, and the proof that they always do.

The first row that matches decides. There is deliberately no `otherwise` row: what nobody thought of must
not become an outcome by itself. Instead a table must be total: every combination the branches can produce
matches some row. A combination matters only by which `any` rows it hits and which `all` rows it violates;
so the proof walks over the branches with sets of such marks, which is exponential in the rows and linear in
the branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dev_agent.runtime.states import JoinRow

Marks = int
"""Bit i: the `any` row i was hit, or the `all` row i was violated."""


def joined(rows: Sequence[JoinRow], outcomes: Iterable[str]) -> str | None:
    """Return the outcome these branch outcomes join to, None if no row matches."""
    row = _first_match(rows, _marks(rows, outcomes))
    return None if row is None else rows[row].outcome


def unmatched(rows: Sequence[JoinRow], branches: Mapping[str, Iterable[str]]) -> dict[str, str] | None:
    """Return one combination of branch outcomes that no row matches, None if the table is total."""
    for marks, combination in _combinations(rows, branches).items():
        if _first_match(rows, marks) is None:
            return dict(zip(branches, combination, strict=True))
    return None


def unused(rows: Sequence[JoinRow], branches: Mapping[str, Iterable[str]]) -> list[int]:
    """Return the indexes of rows that decide no combination."""
    used = {_first_match(rows, marks) for marks in _combinations(rows, branches)}
    return [index for index in range(len(rows)) if index not in used]


def _combinations(
    rows: Sequence[JoinRow], branches: Mapping[str, Iterable[str]]
) -> dict[Marks, tuple[str, ...]]:
    """Return every reachable set of marks, each with one combination of outcomes that makes it."""
    reached: dict[Marks, tuple[str, ...]] = {0: ()}
    for outcomes in branches.values():
        steps = {_marks(rows, [outcome]): outcome for outcome in sorted(outcomes, reverse=True)}
        following: dict[Marks, tuple[str, ...]] = {}
        for marks, combination in reached.items():
            for step, outcome in steps.items():
                following.setdefault(marks | step, (*combination, outcome))
        reached = following
    return reached


def _marks(rows: Sequence[JoinRow], outcomes: Iterable[str]) -> Marks:
    seen = list(outcomes)
    return sum(
        1 << index
        for index, row in enumerate(rows)
        if any((outcome in row.outcomes) != row.every for outcome in seen)
    )


def _first_match(rows: Sequence[JoinRow], marks: Marks) -> int | None:
    return next((index for index, row in enumerate(rows) if bool(marks >> index & 1) != row.every), None)
