"""Whether everything a program leads to is there: targets of edges, the start, the final of exceeded budgets.

Needs no actions, so it is told with the faults of form, in one report; `prove` asks it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dev_agent.runtime.errors import Fault
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.states import Budgets, Kind, State


def dangling(states: Mapping[str, State], start: str, budgets: Budgets) -> Iterator[Fault]:
    """Every name that leads nowhere. A name that could not be read ("") has a fault of its own already."""
    for state in states.values():
        for outcome, target in state.on.items():
            if target and target not in states:
                yield _unknown(f"states.{state.name}.on.{outcome}", target, states)
    if start and start not in states:
        yield _unknown("start", start, states)
    yield from _exceeded(states, budgets.exceeded)


def _unknown(where: str, name: str, states: Mapping[str, State]) -> Fault:
    return Fault(where=where, message=f"no state {name!r}", hint=nearest(name, states) or "define that state")


def _exceeded(states: Mapping[str, State], name: str) -> Iterator[Fault]:
    finals = [state.name for state in states.values() if state.kind is Kind.FINAL and not state.on]
    where = "budgets.exceeded"
    if name and name not in finals:
        hint = nearest(name, finals) or 'add a state with kind = "final"'
        yield Fault(where=where, message=f"{name!r} is not a final state", hint=hint)
    if not name and any(state.visits for state in states.values()):
        yield Fault(
            where=where,
            message="is missing, but a state bounds its visits",
            hint="name the final a run ends in then",
        )
