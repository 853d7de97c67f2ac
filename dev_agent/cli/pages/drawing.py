"""A program's state graph as SVG: edges as thick as they were taken often, those of alarms in another colour.

Laid out here, layer by layer: a state stands one layer below the nearest one that leads to it, finals at the bottom.
Edges between the same two states share a line and list their outcomes. Nothing is loaded from anywhere and nothing
runs; every text, whoever wrote it, is escaped for the screen and then for XML.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from html import escape as escape_xml

from dev_agent.cli.output.escape import escape_line
from dev_agent.runtime.walk import Edge
from dev_agent.values import dataclass

WIDE, HIGH = 150, 36
STEP_X, STEP_Y, MARGIN = 210, 110, 60
_LONGEST = 200

STYLE = """
.graph { --ink: #1f2328; --dim: #8c959f; --paper: #ffffff; --box: #f6f8fa; --bad: #cf222e }
@media (prefers-color-scheme: dark) {
  .graph { --ink: #e6edf3; --dim: #6e7681; --paper: #0d1117; --box: #161b22; --bad: #ff7b72 }
}
.graph .sheet { fill: var(--paper) }
.graph .state { fill: var(--box); stroke: var(--dim) }
.graph .edge { fill: none; stroke: var(--ink); stroke-linecap: round }
.graph .edge.unused { stroke: var(--dim); stroke-dasharray: 3 4; opacity: .4 }
.graph .edge.alarm { stroke: var(--bad) }
.graph text { fill: var(--ink); font: 12px sans-serif; text-anchor: middle }
.graph text.note { fill: var(--dim); font-size: 10px }
.graph text.label { font-size: 10px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
.graph text.label.unused { fill: var(--dim) }
.graph text.label.alarm { fill: var(--bad) }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """What to draw: every edge with how often it was taken, where runs start, and the edges alarms name.

    `notes` are a few words below a state's name.
    """

    title: str
    start: str
    edges: Mapping[Edge, int]
    alarmed: frozenset[Edge]
    notes: Mapping[str, str] = field(default_factory=dict)


def drawing(graph: Graph) -> str:
    """One `<svg>` element with its own style."""
    places = _places(graph)
    joined = _joined(graph)
    most = max(graph.edges.values(), default=0)
    width = max((x for x, _ in places.values()), default=0) + WIDE + 2 * MARGIN
    height = max((y for _, y in places.values()), default=0) + HIGH + MARGIN
    parts = [
        (
            f'<svg class="graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">'
        ),
        f"<title>{shown(graph.title)}</title><style>{STYLE}</style>",
        f'<rect class="sheet" width="{width}" height="{height}"/>',
        *(_line(pair, edges, graph, places, most) for pair, edges in joined.items()),
        *(_label(pair, edges, graph, places) for pair, edges in joined.items()),
        *(_state(name, place, graph.notes.get(name, "")) for name, place in places.items()),
        "</svg>",
    ]
    return "\n".join(parts)


def shown(text: str) -> str:
    """Text for XML and HTML, in elements and attributes: nothing invisible, nothing that is markup."""
    return escape_xml(escape_line(text[:_LONGEST]), quote=True)


def _joined(graph: Graph) -> dict[tuple[str, str], list[Edge]]:
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in graph.edges:
        found.setdefault((edge.source, edge.target), []).append(edge)
    return found


def _places(graph: Graph) -> dict[str, tuple[int, int]]:
    following: dict[str, list[str]] = {}
    for edge in graph.edges:
        following.setdefault(edge.source, []).append(edge.target)
    layer = {graph.start: 0} if graph.start else {}
    queue = deque(layer)
    while queue:
        state = queue.popleft()
        for target in following.get(state, ()):
            if target not in layer:
                layer[target] = layer[state] + 1
                queue.append(target)
    unreached = [state for edge in graph.edges for state in (edge.source, edge.target) if state not in layer]
    layer |= dict.fromkeys(unreached, 0)
    bottom = max(layer.values(), default=0) + 1
    rows: dict[int, list[str]] = {}
    for state, depth in layer.items():
        rows.setdefault(depth if state in following else bottom, []).append(state)
    return {
        state: (MARGIN + column * STEP_X + (number % 2) * (STEP_X // 3), MARGIN // 2 + number * STEP_Y)
        for number, depth in enumerate(sorted(rows))
        for column, state in enumerate(rows[depth])
    }


def _state(name: str, place: tuple[int, int], note: str) -> str:
    x, y = place
    label = name if len(name) <= 20 else name[:19] + "…"
    said = f'<text class="note" x="{x + WIDE // 2}" y="{y + HIGH - 6}">{shown(note)}</text>' if note else ""
    down = HIGH // 2 + (-2 if note else 4)
    return (
        f'<g><title>{shown(name)}</title><rect class="state" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="6"/>'
        f'<text x="{x + WIDE // 2}" y="{y + down}">{shown(label)}</text>{said}</g>'
    )


def _line(
    pair: tuple[str, str],
    edges: Sequence[Edge],
    graph: Graph,
    places: Mapping[str, tuple[int, int]],
    most: int,
) -> str:
    taken = sum(graph.edges[edge] for edge in edges)
    width = 1 + 5 * math.sqrt(taken / most) if taken and most else 1
    (x1, y1), (cx, cy), (x2, y2) = _bend(pair, places)
    return (
        f'<path class="{_class("edge", edges, graph)}" stroke-width="{width:.1f}" '
        f'd="M {x1} {y1} Q {cx} {cy} {x2} {y2}">'
        f"<title>{shown(_said(pair, edges, graph))}</title></path>"
    )


def _label(
    pair: tuple[str, str], edges: Sequence[Edge], graph: Graph, places: Mapping[str, tuple[int, int]]
) -> str:
    (x1, y1), (cx, cy), (x2, y2) = _bend(pair, places)
    x, y = (x1 + 2 * cx + x2) // 4, (y1 + 2 * cy + y2) // 4
    rows = [f"{edge.outcome} ×{graph.edges[edge]}" for edge in edges if graph.edges[edge]]
    kind = _class("label", edges, graph)
    return "".join(
        f'<text class="{kind}" x="{x}" y="{y + 12 * number}">{shown(row)}</text>'
        for number, row in enumerate(rows)
    )


def _bend(
    pair: tuple[str, str], places: Mapping[str, tuple[int, int]]
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Start, control point and end: straight down leaves below and arrives above, back goes round the side."""
    (sx, sy), (tx, ty) = places[pair[0]], places[pair[1]]
    if ty > sy:
        start, end = (sx + WIDE // 2, sy + HIGH), (tx + WIDE // 2, ty)
        return start, ((start[0] + end[0]) // 2 + (end[0] - start[0]) // 6, (start[1] + end[1]) // 2), end
    start, end = (sx + WIDE, sy + HIGH // 2), (tx + WIDE, ty + HIGH // 2)
    reach = 50 + (sy - ty) // 4
    if pair[0] == pair[1]:
        start, end = (sx + WIDE, sy + 8), (sx + WIDE, sy + HIGH - 8)
    return start, (max(start[0], end[0]) + reach, (start[1] + end[1]) // 2), end


def _class(kind: str, edges: Iterable[Edge], graph: Graph) -> str:
    found = list(edges)
    if any(edge in graph.alarmed for edge in found):
        return f"{kind} alarm"
    return kind if any(graph.edges[edge] for edge in found) else f"{kind} unused"


def _said(pair: tuple[str, str], edges: Sequence[Edge], graph: Graph) -> str:
    taken = ", ".join(f"{edge.outcome} {graph.edges[edge]}" for edge in edges)
    return f"{pair[0]} → {pair[1]}: {taken}"
