"""The candidates of a run: what came of each answer that was tried beside others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dev_agent.cli.output.page import Line, Style, count, seconds, span, table
from dev_agent.programs.candidates.ranking import Standing
from dev_agent.programs.candidates.records import Recorded

_STYLES = {Standing.GREEN: Style.GOOD, Standing.ASKED: Style.WARN, Standing.UNJUDGED: Style.DIM}


def candidate_lines(candidates: Sequence[Recorded], *, whole: bool) -> tuple[Line, ...]:
    """One row a candidate: what it is called, what came of it, why, how large it is. `whole`: with every gate."""
    if not candidates:
        return ()
    names = ("", "CANDIDATE", "STANDING", "WHY", "LINES", "TIME")
    rows: list[Sequence[Any]] = [tuple(span(name, Style.DIM) for name in names)]
    for one in candidates:
        rows.append(_row(one))
        if whole:
            rows += [_gate(gate) for gate in one.gates]
    return table(rows, indent=2)


def candidates_json(candidates: Sequence[Recorded]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [one.to_json() for one in candidates]


def _row(one: Recorded) -> tuple[Any, ...]:
    candidate = one.candidate
    style = _STYLES.get(candidate.standing, Style.BAD)
    return (
        span("→" if one.chosen else " ", Style.GOOD),
        span(f"{one.round}.{candidate.number}", Style.NAME),
        span(candidate.standing.value, style),
        span(_why(one), Style.DIM),
        span(str(candidate.lines) if one.tree else "-"),
        span(seconds(one.ms) if one.ms else "-", Style.DIM),
    )


def _why(one: Recorded) -> str:
    candidate = one.candidate
    if candidate.twin:
        return f"means the same as {one.round}.{candidate.twin}"
    if candidate.standing is Standing.RED:
        return count(candidate.failures, "new failure")
    if candidate.reproduced:
        return f"shown by {one.tests[0]}"
    if candidate.standing is Standing.UNJUDGED:
        return "not judged beside the others"
    return one.reason.replace("_", " ")


def _gate(gate: tuple[str, str, int]) -> tuple[Any, ...]:
    name, result, failures = gate
    said = f", {count(failures, 'new failure')}" if failures else ""
    words = (span(f"  {name}", Style.DIM), span(f"{result}{said}", Style.DIM))
    return (span(" "), span(""), *words, span(""), span(""))
