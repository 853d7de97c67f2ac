"""What is proved of a state alone: it handles exactly the outcomes it can have, and its join table is total.

A missing edge would be a hole, a superfluous one a promise nobody keeps; a row of a join table that decides nothing is
such a promise too. A wait state declares its outcomes itself: its signals.
"""

from __future__ import annotations

from collections.abc import Iterator

from dev_agent.runtime import joins
from dev_agent.runtime.declared import Actions
from dev_agent.runtime.errors import Fault
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.states import ERROR, OTHERWISE, Kind, State


def handling_faults(state: State, actions: Actions) -> Iterator[Fault]:
    """Yield what is wrong with a state's edges; its actions are known."""
    expected = _expected(state, actions)
    where = f"states.{state.name}.on"
    for outcome in sorted(expected - state.on.keys()):
        yield Fault(
            where=where, message=f"outcome {outcome!r} has no edge", hint=f"write: {outcome} = <next state>"
        )
    for outcome in sorted(state.on.keys() - expected):
        yield Fault(
            where=f"{where}.{outcome}",
            message="never happens",
            hint=nearest(outcome, expected - state.on.keys()) or "remove it",
        )
    for outcome in sorted(set(state.retry.on if state.retry else ()) - expected):
        yield Fault(
            where=f"states.{state.name}.retry.on",
            message=f"{outcome!r} never happens",
            hint=nearest(outcome, expected),
        )
    if state.kind is Kind.PARALLEL:
        yield from _join(state, actions)
    if state.kind is not Kind.FINAL and not state.on:
        yield Fault(where=where, message="is empty, but only a final ends a run", hint="lead on somewhere")


def _expected(state: State, actions: Actions) -> frozenset[str]:
    """The outcomes a state must have edges for."""
    match state.kind:
        case Kind.ACTION:
            return actions[state.action].outcomes | {ERROR}
        case Kind.PARALLEL:
            return frozenset(row.outcome for row in state.join) | {ERROR}
        case Kind.CHOOSE:
            return frozenset(case.outcome for case in state.cases) | {OTHERWISE, ERROR}
        case Kind.WAIT | Kind.FINAL:
            return frozenset(state.on)


def _join(state: State, actions: Actions) -> Iterator[Fault]:
    where = f"states.{state.name}.join"
    branches = {branch.name: actions[branch.action].outcomes | {ERROR} for branch in state.branches}
    possible = frozenset().union(*branches.values())
    for index, row in enumerate(state.join):
        for outcome in sorted(set(row.outcomes) - possible):
            yield Fault(
                where=f"{where}[{index}]",
                message=f"no branch ends in {outcome!r}",
                hint=nearest(outcome, possible),
            )
    missing = joins.unmatched(state.join, branches)
    if missing is not None:
        shown = ", ".join(f"{branch} {outcome}" for branch, outcome in missing.items())
        yield Fault(where=where, message=f"no row matches: {shown}", hint="add a row for it")
    for index in joins.unused(state.join, branches):
        yield Fault(
            where=f"{where}[{index}]",
            message="decides nothing: earlier rows match first, or nothing does",
            hint="remove it, or put it before them",
        )
