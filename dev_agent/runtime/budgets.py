"""When a run has used up what its program allows. Pure: a position in, a finding out.

Checked before a state that is not final is entered, so a limit of N transitions executes N states, and a run
that reached its final keeps it. A count a run may still use is refused only to the states that would use it:
with all model calls spent, the gates may still run. What one action spends beyond a limit is seen after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from dev_agent.runtime.fold import Position
from dev_agent.runtime.program import Program
from dev_agent.values import dataclass

COSTS = ("model_calls", "tokens", "money")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """A budget that ends the run: its name, its limit, and what was used when that was found."""

    budget: str
    limit: int
    spent: int


def overrun(program: Program, position: Position, spenders: Iterable[frozenset[str]]) -> Overrun | None:
    """Return the first budget that forbids entering the current state, None if it may be entered.

    `spenders` holds, for each action the state would start, the budget keys it spends.
    """
    budgets = program.budgets
    state = position.state
    if budgets.transitions is not None and position.transitions >= budgets.transitions:
        return Overrun(budget="transitions", limit=budgets.transitions, spent=position.transitions)
    if budgets.wall_ms is not None and position.wall_ms >= budgets.wall_ms:
        return Overrun(budget="wall_ms", limit=budgets.wall_ms, spent=position.wall_ms)
    if budgets.stalled is not None and position.repeats >= budgets.stalled:
        return Overrun(budget="stalled", limit=budgets.stalled, spent=position.repeats)
    visits, left = position.current.visits, position.visits.get(state, 0)
    if visits is not None and left >= visits:
        return Overrun(budget="visits", limit=visits, spent=left)
    limited = limits(program)
    return _overspent(limited, position, list(spenders)) if limited else None


def _overspent(
    limited: Mapping[str, int], position: Position, spenders: list[frozenset[str]]
) -> Overrun | None:
    for budget, limit in limited.items():
        spent = position.cost.get(budget, 0)
        # Each spender needs at least one unit: a fork of three may not start on the last model call.
        needed = sum(budget in keys for keys in spenders)
        if spent + needed > limit:
            return Overrun(budget=budget, limit=limit, spent=spent)
    return None


def remaining(program: Program, position: Position, spenders: int = 1) -> dict[str, int]:
    """Return what is left of each limited cost; for several spenders at once, the share of each."""
    return {
        budget: max(limit - position.cost.get(budget, 0), 0) // max(spenders, 1)
        for budget, limit in limits(program).items()
    }


def limits(program: Program) -> Mapping[str, int]:
    """Return the limited costs."""
    budgets = program.budgets
    if budgets.model_calls is budgets.tokens is budgets.money is None:
        return _NO_LIMITS  # asked before every state
    values = {budget: getattr(budgets, budget) for budget in COSTS}
    return {budget: limit for budget, limit in values.items() if limit is not None}


_NO_LIMITS: Mapping[str, int] = MappingProxyType({})
