"""Which actions a state is bound to, and which facts a program has: what conditions name and models are shown."""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.runtime.actions import AnySpec
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import INPUT, FactType, Kind, State

Actions = Mapping[str, AnySpec]


def used_actions(state: State) -> list[str]:
    """The names of the actions a state is bound to."""
    return [state.action] if state.kind is Kind.ACTION else [branch.action for branch in state.branches]


def declared_facts(program: Program, actions: Actions) -> dict[str, FactType]:
    """Return every fact a condition may name, dotted, with its type."""
    declared = {f"{INPUT}.{name}": kind for name, kind in program.facts.items()}
    for state in program.states.values():
        declared |= {f"{state.name}.outcome": FactType.STR, f"{state.name}.visits": FactType.INT}
        declared |= {f"{state.name}.{name}": kind for name, kind in state.facts.items()}
        if state.action:
            declared |= {f"{state.name}.{name}": kind for name, kind in actions[state.action].facts.items()}
        for branch in state.branches:
            prefix = f"{state.name}.{branch.name}"
            declared[f"{prefix}.outcome"] = FactType.STR
            declared |= {f"{prefix}.{name}": kind for name, kind in actions[branch.action].facts.items()}
    return declared
