"""Walks over the graph of a program. Iterative: a program may have 10,000 states in a row."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from dev_agent.values import dataclass

SHOWN_HOPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge of the graph: leaving `source` by `outcome` leads to `target`."""

    source: str
    outcome: str
    target: str


Graph = Mapping[str, tuple[Edge, ...]]


def reached(graph: Graph, starts: Iterable[str]) -> set[str]:
    """Return every state reachable from `starts`, themselves included."""
    seen = set(starts)
    queue = deque(seen)
    while queue:
        for edge in graph.get(queue.popleft(), ()):
            if edge.target not in seen:
                seen.add(edge.target)
                queue.append(edge.target)
    return seen


def reversed_graph(graph: Graph) -> Graph:
    """Return the graph with every edge turned round."""
    made: dict[str, list[Edge]] = {}
    for edges in graph.values():
        for edge in edges:
            made.setdefault(edge.target, []).append(
                Edge(source=edge.target, outcome=edge.outcome, target=edge.source)
            )
    return {state: tuple(edges) for state, edges in made.items()}


def shortest_path(
    graph: Graph, source: str, targets: frozenset[str], without: frozenset[tuple[str, str]] = frozenset()
) -> list[Edge] | None:
    """Return a shortest path of one edge or more from `source` into `targets`, or None.

    Edges whose (source, outcome) is in `without` are not taken.
    """
    came_by: dict[str, Edge] = {}
    queue = deque([source])
    while queue:
        for edge in graph.get(queue.popleft(), ()):
            if edge.target in came_by or (edge.source, edge.outcome) in without:
                continue
            came_by[edge.target] = edge
            if edge.target in targets:
                return _traced_back(came_by, source, edge)
            queue.append(edge.target)
    return None


def some_cycle(graph: Graph, without: set[str]) -> list[str] | None:
    """Return the states of a cycle that touches none of `without`, None if there is none."""
    entering = {state: 0 for state in graph if state not in without}
    for state in entering:
        for edge in graph[state]:
            if edge.target in entering:
                entering[edge.target] += 1
    queue = deque(state for state, count in entering.items() if count == 0)
    while queue:
        state = queue.popleft()
        del entering[state]
        for edge in graph[state]:
            if edge.target in entering:
                entering[edge.target] -= 1
                if entering[edge.target] == 0:
                    queue.append(edge.target)
    return _cycle_among(graph, set(entering)) if entering else None


def drawn(path: list[Edge]) -> str:
    """Return a path as `stage -staged→ check_policy -allowed→ land`, its middle left out if it is long."""
    hops = [f" -{edge.outcome}→ {edge.target}" for edge in path]
    if len(hops) > SHOWN_HOPS:
        half = SHOWN_HOPS // 2
        hops = [*hops[:half], f" … {len(hops) - 2 * half} more …", *hops[-half:]]
    return path[0].source + "".join(hops)


def _traced_back(came_by: Mapping[str, Edge], source: str, last: Edge) -> list[Edge]:
    path = [last]
    while path[-1].source != source:
        path.append(came_by[path[-1].source])
    return path[::-1]


def _cycle_among(graph: Graph, remaining: set[str]) -> list[str]:
    """Walk backwards among states that all have a predecessor in `remaining`, until one repeats."""
    before = {edge.target: state for state in remaining for edge in graph[state] if edge.target in remaining}
    walk: dict[str, int] = {}
    state = next(iter(sorted(remaining)))
    while state not in walk:
        walk[state] = len(walk)
        state = before[state]
    return [*list(walk)[walk[state] :], state][::-1]
