"""What is proved about a program before it may run. All faults at once; nothing recursive.

- The start, every target and the final of exceeded budgets exist.
- Every action is known, and every state handles exactly its outcomes and `error`: a missing edge would be a
  hole, a superfluous one a promise nobody keeps. (A wait state declares its outcomes itself: its signals.)
- Every state is reachable, and every state can reach a final.
- Every cycle is bounded. `[budgets] transitions` bounds all of them; without it each cycle must hold a state
  with `visits`. Costs and wall time are no bound: a cycle may spend nothing.
- What a state `shows` are declared facts, and its action feeds a model; so do the facts its prompts name. Outcomes and
  visits cannot be shown: how often and how well a state went is not for a model to know.
- Conditions type-check against the declared facts; join tables are total and have no idle row.
- Invariants hold on the graph, the edges taken by exceeded budgets included; a violation shows a shortest
  offending path. An invariant about states with no path between them is a fault too: it cannot fail.

In conditions: `input.<name>`, `<state>.<fact>`, `<state>.<branch>.<fact>` as declared, and for every state
`<state>.visits` (int, 0 before) and `<state>.outcome` (str, missing before); the latter for branches too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dev_agent.runtime import joins
from dev_agent.runtime.actions import AnySpec, ModelActionSpec
from dev_agent.runtime.conditions import parse
from dev_agent.runtime.errors import ConditionError, Fault, ProgramRefused
from dev_agent.runtime.naming import is_name, nearest
from dev_agent.runtime.paths import Edge, Graph, drawn, reached, reversed_graph, shortest_path, some_cycle
from dev_agent.runtime.program import Program
from dev_agent.runtime.program_file import IMPLICIT
from dev_agent.runtime.projection import holes_of
from dev_agent.runtime.proofs import Proofs
from dev_agent.runtime.states import ERROR, INPUT, OTHERWISE, FactType, Invariant, Kind, Passing, State
from dev_agent.runtime.targets import dangling
from dev_agent.toml_places import line_of

Actions = Mapping[str, AnySpec]

BUDGET_EDGE = "budget exceeded"
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
            faults += _outcomes(state, actions)
    # Conditions may name a fact of any action, and what walks the graph needs it whole: a fault of either kind
    # would make others that are none.
    if not unknown:
        declared = declared_facts(program, actions)
        faults += (fault for state in program.states.values() for fault in _conditions(state, declared))
        faults += (fault for state in program.states.values() for fault in _shows(state, actions, declared))
    if not astray:
        faults += _walks(program)
    if faults:
        raise ProgramRefused(
            f"program {program.name} cannot be proved",
            [replace(fault, line=line_of(program.lines, fault.where)) for fault in faults],
            "correct the program; it did not run",
            source=program.source,
        )


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


def expected_outcomes(state: State, actions: Actions) -> frozenset[str]:
    """Return the outcomes a state must have edges for."""
    match state.kind:
        case Kind.ACTION:
            return actions[state.action].outcomes | {ERROR}
        case Kind.PARALLEL:
            return frozenset(row.outcome for row in state.join) | {ERROR}
        case Kind.CHOOSE:
            return frozenset(case.outcome for case in state.cases) | {OTHERWISE, ERROR}
        case Kind.WAIT | Kind.FINAL:
            return frozenset(state.on)


def graph_of(program: Program) -> Graph:
    """Return the graph of the transition table, without the edges taken by exceeded budgets."""
    return {
        state.name: tuple(
            Edge(source=state.name, outcome=outcome, target=target) for outcome, target in state.on.items()
        )
        for state in program.states.values()
    }


def _actions(program: Program, actions: Actions) -> Iterator[Fault]:
    for state in program.states.values():
        for name in used_actions(state):
            spec = actions.get(name)
            if spec is None:
                hint = nearest(name, actions) or "declare it in the module of actions"
                yield Fault(where=f"states.{state.name}", message=f"no action {name!r}", hint=hint)
            else:
                yield from _declaration(spec)


def used_actions(state: State) -> list[str]:
    """The names of the actions a state is bound to."""
    return [state.action] if state.kind is Kind.ACTION else [branch.action for branch in state.branches]


def _declaration(spec: AnySpec) -> Iterator[Fault]:
    for name in sorted([*spec.outcomes, *spec.facts]):
        if not is_name(name) or name in IMPLICIT:
            yield Fault(
                where=f"action {spec.name}",
                message=f"{name!r} cannot name an outcome or fact",
                hint="use lower-case letters, digits and _; `outcome` and `visits` are every state's own",
            )


def _outcomes(state: State, actions: Actions) -> Iterator[Fault]:
    expected = expected_outcomes(state, actions)
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


def _conditions(state: State, declared: Mapping[str, FactType]) -> Iterator[Fault]:
    for index, case in enumerate(state.cases):
        try:
            parse(case.when, declared)
        except ConditionError as error:
            yield Fault(where=f"states.{state.name}.cases[{index}].when", message=str(error), hint=error.hint)


def _shows(state: State, actions: Actions, declared: Mapping[str, FactType]) -> Iterator[Fault]:
    where = f"states.{state.name}"
    if state.kind is Kind.ACTION:
        yield from _projection(f"{where}.shows", state.shows, actions[state.action], declared)
    for index, branch in enumerate(state.branches):
        yield from _projection(
            f"{where}.branches[{index}].shows", branch.shows, actions[branch.action], declared
        )


def _projection(
    where: str, shows: tuple[str, ...], spec: AnySpec, declared: Mapping[str, FactType]
) -> Iterator[Fault]:
    for name in shows:
        governs = name.rpartition(".")[2] in IMPLICIT
        if governs or name not in declared:
            said = "governs the run and is not shown to models" if governs else "is no declared fact"
            known = [one for one in declared if one.rpartition(".")[2] not in IMPLICIT]
            yield Fault(where=where, message=f"{name[:80]!r} {said}", hint=nearest(name, known))
    if not isinstance(spec, ModelActionSpec):
        if shows:
            yield Fault(
                where=where, message=f"action {spec.name!r} feeds no model, so nothing is shown to one"
            )
        return
    for prompt, template in spec.prompts.items():
        for name in holes_of(template):
            if name not in shows:
                hint = nearest(name, shows) or f"add it to `shows`: {name!r}"
                message = f"prompt {prompt!r} of {spec.name} names {name!r}, which is not shown"
                yield Fault(where=where, message=message, hint=hint)


def _walks(program: Program) -> Iterator[Fault]:
    graph = graph_of(program)
    complete = _with_budget_edges(program, graph)
    yield from _reachability(program, graph, complete)
    yield from _cycles(program, graph)
    for index, invariant in enumerate(program.invariants):
        yield from _invariant(program, invariant, complete, f"invariants[{index}]")


def _with_budget_edges(program: Program, graph: Graph) -> Graph:
    target = program.budgets.exceeded
    if not target:
        return graph
    return {
        state: (*edges, Edge(source=state, outcome=BUDGET_EDGE, target=target)) if edges else edges
        for state, edges in graph.items()
    }


def _reachability(program: Program, graph: Graph, complete: Graph) -> Iterator[Fault]:
    reachable = reached(complete, [program.start])
    finals = [state.name for state in program.states.values() if state.kind is Kind.FINAL]
    # Without the budget edges: running into a limit is no way for a program to end.
    ending = reached(reversed_graph(graph), finals)
    for name in program.states:
        if name not in reachable:
            yield Fault(
                where=f"states.{name}",
                message=f"cannot be reached from {program.start}",
                hint="remove it, or lead an edge to it",
            )
        if name not in ending:
            yield Fault(
                where=f"states.{name}",
                message="cannot reach a final state",
                hint="lead one of its ways to a final",
            )


def _cycles(program: Program, graph: Graph) -> Iterator[Fault]:
    if program.budgets.transitions is not None:
        return
    bounded = {state.name for state in program.states.values() if state.visits is not None}
    cycle = some_cycle(graph, without=bounded)
    if cycle is not None:
        shown = " → ".join(cycle if len(cycle) <= 12 else [*cycle[:6], "…", *cycle[-6:]])
        hint = "set [budgets] transitions, or `visits` on one of these states"
        yield Fault(where="budgets", message=f"nothing bounds the cycle {shown}", hint=hint)


def _invariant(program: Program, invariant: Invariant, graph: Graph, where: str) -> Iterator[Fault]:
    faults = list(_unknown_names(program, invariant, where))
    if faults:
        yield from faults
        return
    targets = frozenset(invariant.targets)
    for source in invariant.sources:
        if shortest_path(graph, source, targets) is None:
            yield Fault(
                where=where,
                message=f"no path at all from {source}: {invariant.name!r} could not fail",
                hint="name states that a run can go between",
            )
    for gate in invariant.through:
        for source in invariant.sources:
            path = shortest_path(graph, source, targets, without=_edges_of(gate))
            if path is not None:
                shown = f"{gate.state} -{'/'.join(gate.outcomes)}→"
                yield Fault(
                    where=where,
                    message=f"{invariant.name!r} fails: {drawn(path)} avoids {shown}",
                    hint="lead that path through the gate",
                )


def _edges_of(gate: Passing) -> frozenset[tuple[str, str]]:
    return frozenset((gate.state, outcome) for outcome in gate.outcomes)


def _unknown_names(program: Program, invariant: Invariant, where: str) -> Iterator[Fault]:
    for name in (*invariant.sources, *invariant.targets, *(gate.state for gate in invariant.through)):
        if name not in program.states:
            hint = nearest(name, program.states)
            yield Fault(where=where, message=f"no state {name!r}", hint=hint)
    for gate in invariant.through:
        edges = (
            program.states[gate.state].on
            if gate.state in program.states
            else dict.fromkeys(gate.outcomes, "")
        )
        for outcome in sorted(set(gate.outcomes) - edges.keys()):
            yield Fault(
                where=where, message=f"{gate.state} has no edge {outcome!r}", hint=nearest(outcome, edges)
            )
