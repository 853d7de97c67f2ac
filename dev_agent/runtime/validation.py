"""What is proved about a program before it may run. All faults at once; nothing recursive.

- The start, every target and the final of exceeded budgets exist (`targets.py`).
- Every action is known, and every state handles exactly its outcomes and `error` (`handling.py`).
- Every state is reachable and can reach a final, every cycle is bounded, invariants hold (`routes.py`).
- What a state `shows` are declared facts, and its action feeds a model (`showing.py`).
- Conditions type-check against the declared facts.

In conditions: `input.<name>`, `<state>.<fact>`, `<state>.<branch>.<fact>` as declared, and for every state
`<state>.visits` (int, 0 before) and `<state>.outcome` (str, missing before); the latter for branches too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dev_agent.runtime.actions import AnySpec
from dev_agent.runtime.conditions import parse
from dev_agent.runtime.declared import Actions, declared_facts, used_actions
from dev_agent.runtime.errors import ConditionError, Fault, ProgramRefused
from dev_agent.runtime.handling import handling_faults
from dev_agent.runtime.naming import is_name, nearest
from dev_agent.runtime.program import Program
from dev_agent.runtime.program_file import IMPLICIT
from dev_agent.runtime.proofs import Proofs
from dev_agent.runtime.routes import route_faults
from dev_agent.runtime.showing import showing_faults
from dev_agent.runtime.states import FactType, State
from dev_agent.runtime.targets import dangling
from dev_agent.toml_places import line_of

_PROOFS = Proofs()


def prove(program: Program, actions: Actions) -> None:
    """Prove `program` over these actions (name -> spec). Raises ProgramRefused with every fault found.

    A proof that held is not made again for the same program over the same declarations (see `proofs`).
    """
    # Not the other actions there are: to look at one may mean to import it.
    bound = {name: actions[name] for name in _bound(program) if name in actions}
    if not _PROOFS.holds(program, bound):
        _prove(program, actions)
        _PROOFS.remember(program, bound)


def _bound(program: Program) -> set[str]:
    return {name for state in program.states.values() for name in used_actions(state)}


def _prove(program: Program, actions: Actions) -> None:
    astray = list(dangling(program.states, program.start, program.budgets))
    unknown = list(_actions(program, actions))
    faults = [*astray, *unknown]
    for state in program.states.values():
        if all(name in actions for name in used_actions(state)):
            faults += handling_faults(state, actions)
    # Conditions may name a fact of any action, and what walks the graph needs it whole: a fault of either kind
    # would make others that are none.
    if not unknown:
        declared = declared_facts(program, actions)
        faults += (fault for state in program.states.values() for fault in _conditions(state, declared))
        faults += (
            fault for state in program.states.values() for fault in showing_faults(state, actions, declared)
        )
    if not astray:
        faults += route_faults(program)
    if faults:
        raise ProgramRefused(
            f"program {program.name} cannot be proved",
            [replace(fault, line=line_of(program.lines, fault.where)) for fault in faults],
            "correct the program; it did not run",
            source=program.source,
        )


def _actions(program: Program, actions: Actions) -> Iterator[Fault]:
    for state in program.states.values():
        for name in used_actions(state):
            spec = actions.get(name)
            if spec is None:
                hint = nearest(name, actions) or "declare it in the module of actions"
                yield Fault(where=f"states.{state.name}", message=f"no action {name!r}", hint=hint)
            else:
                yield from _declaration(spec)


def _declaration(spec: AnySpec) -> Iterator[Fault]:
    for name in sorted([*spec.outcomes, *spec.facts]):
        if not is_name(name) or name in IMPLICIT:
            yield Fault(
                where=f"action {spec.name}",
                message=f"{name!r} cannot name an outcome or fact",
                hint="use lower-case letters, digits and _; `outcome` and `visits` are every state's own",
            )


def _conditions(state: State, declared: Mapping[str, FactType]) -> Iterator[Fault]:
    for index, case in enumerate(state.cases):
        try:
            parse(case.when, declared)
        except ConditionError as error:
            yield Fault(where=f"states.{state.name}.cases[{index}].when", message=str(error), hint=error.hint)
