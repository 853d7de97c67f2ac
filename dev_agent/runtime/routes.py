"""What is proved of the ways through a program: all states are on one, all end, no cycle is endless, invariants hold.

- Every state is reachable, and every state can reach a final.
- Every cycle is bounded. `[budgets] transitions` bounds all of them; without it each cycle must hold a state
  with `visits`. Costs and wall time are no bound: a cycle may spend nothing.
- Invariants hold on the graph, the edges taken by exceeded budgets included; a violation shows a shortest
  offending path. An invariant about states with no path between them is a fault too: it cannot fail.

Iterative, for programs of ten thousand states. Every edge leads to a state there is; `targets.py` sees to that before.
"""

from __future__ import annotations

from collections.abc import Iterator

from dev_agent.runtime.errors import Fault
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.paths import Edge, Graph, drawn, reached, reversed_graph, shortest_path, some_cycle
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import Invariant, Kind, Passing

_BUDGET_EDGE = "budget exceeded"


def route_faults(program: Program) -> Iterator[Fault]:
    """Yield what is wrong with the graph of a program."""
    graph = graph_of(program)
    complete = _with_budget_edges(program, graph)
    yield from _reachability(program, graph, complete)
    yield from _cycles(program, graph)
    for index, invariant in enumerate(program.invariants):
        yield from _invariant(program, invariant, complete, f"invariants[{index}]")


def graph_of(program: Program) -> Graph:
    """Return the graph of the transition table, without the edges taken by exceeded budgets."""
    return {
        state.name: tuple(
            Edge(source=state.name, outcome=outcome, target=target) for outcome, target in state.on.items()
        )
        for state in program.states.values()
    }


def _with_budget_edges(program: Program, graph: Graph) -> Graph:
    target = program.budgets.exceeded
    if not target:
        return graph
    return {
        state: (*edges, Edge(source=state, outcome=_BUDGET_EDGE, target=target)) if edges else edges
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
