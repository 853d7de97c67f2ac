"""What a run spent on models: call by call, state by state, and in sum."""

from __future__ import annotations

from typing import Any

from dev_agent.cli.output.page import Line, Style, seconds, span, table
from dev_agent.programs.cost import Call, Cost, Spending

_MOST_CALLS = 40


def cost_lines(spending: Spending) -> tuple[Line, ...]:
    """One row a call, one a state that was entered more than once or asked more than once, one for the sum."""
    if not spending.total.calls:
        return ()
    names = ("", "PURPOSE", "MODEL", "READ", "WRITTEN", "PRICE", "TIME", "ENDED")
    rows = [tuple(span(name, Style.DIM) for name in names)]
    rows += [_row(one) for one in spending.calls[:_MOST_CALLS]]
    more = len(spending.calls) - _MOST_CALLS
    if more > 0:
        rows.append((span(f"… and {more} more", Style.DIM),))
    sums = [(state, cost) for state, cost in spending.states if cost.calls > 1 or len(spending.states) > 1]
    lines = table(rows, indent=2) if spending.calls else ()
    return (
        *lines,
        *table([*(_sum(state, cost) for state, cost in sums), _sum("all", spending.total)], indent=2),
    )


def cost_json(spending: Spending) -> dict[str, Any]:
    """The same for programs."""
    return {
        "total": spending.total.to_json(),
        "states": {state: cost.to_json() for state, cost in spending.states},
        "calls": [one.to_json() for one in spending.calls],
    }


def _row(call: Call) -> tuple[Any, ...]:
    return (
        span(call.state),
        span(call.purpose),
        span(call.model, Style.NAME),
        span(f"{call.read:,}"),
        span(f"{call.written:,}"),
        span(call.money),
        span(seconds(call.ms), Style.DIM),
        span(call.outcome, Style.DIM),
    )


def _sum(name: str, cost: Cost) -> tuple[Any, ...]:
    return (span(name, Style.DIM), span(cost.words))
