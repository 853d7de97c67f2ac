"""The numbers over runs as files: a page with its graphs, or the graphs alone. Self-contained, see `html`."""

from __future__ import annotations

from collections.abc import Iterable

from dev_agent.cli.output.page import Line, seconds
from dev_agent.cli.pages.drawing import Graph, drawing
from dev_agent.cli.pages.html import document, shown, table
from dev_agent.cli.pages.stats import stats_page
from dev_agent.programs.stats import ProgramStats, RunStats, Stats
from dev_agent.runtime.health import edges_of

_RUNS = ("Run", "Outcome", "Reason", "Steps", "Direct", "Again", "Excess", "Entropy", "Time", "Alarms")
_STATES = ("State", "Times", "Mean", "Total", "Cost")


def stats_svg(stats: Stats) -> str:
    """The graph of every program, one below the other, as one SVG document."""
    parts, top, widest = [], 0, 0
    for program in stats.programs:
        drawn = drawing(graph_of(program))
        width, height = _size(drawn)
        parts.append(drawn.replace('<svg class="graph"', f'<svg class="graph" y="{top}"', 1))
        top, widest = top + height, max(widest, width)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {widest} {top}" width="{widest}" height="{top}">'
    return "\n".join([opening, *parts, "</svg>\n"])


def _size(drawn: str) -> tuple[int, int]:
    _, _, box = drawn.partition('viewBox="0 0 ')
    width, _, rest = box.partition(" ")
    return int(width), int(rest.partition('"')[0])


def stats_html(stats: Stats) -> str:
    """A whole page: outcomes, runs, times, alarms and a graph for every program."""
    parts = ["<h1>Runs</h1>"]
    parts += [f'<p class="alarm">{shown(text)}</p>' for text in stats.warnings]
    for program in stats.programs:
        parts += _program(program)
    closing = stats_page(stats).lines[-1:]
    parts += [f"<p><strong>{shown(_plain(one))}</strong></p>" for one in closing]
    return document("dev-agent: runs", parts)


def _plain(one: Line) -> str:
    return one.text


def _program(program: ProgramStats) -> Iterable[str]:
    yield f"<h2>{shown(program.name)}</h2>"
    ended = [(number, outcome, reason) for (outcome, reason), number in program.outcomes.items()]
    yield table(("Runs", "Outcome", "Reason"), ended)
    yield f'<div class="wide">{drawing(graph_of(program))}</div>'
    if program.fleet.distance is not None:
        yield f"<p>Distance from the baseline: {program.fleet.distance:.2f} of 1</p>"
    yield from _alarms(program)
    yield table(_RUNS, [_run(run) for run in program.runs])
    states = [
        (one.state, one.count, seconds(one.ms // max(one.count, 1)), seconds(one.ms),
         " ".join(f"{key}={amount}" for key, amount in one.cost.items()))
        for one in program.states
    ]  # fmt: skip
    gates = [
        (one.name, one.count, seconds(one.ms // one.count), seconds(one.ms),
         " ".join(f"{outcome}={number}" for outcome, number in one.outcomes.items()))
        for one in program.gates
    ]  # fmt: skip
    yield table(_STATES, [*states, *gates])


def _run(run: RunStats) -> tuple[object, ...]:
    health = run.health
    return (
        run.run,
        run.outcome,
        run.reason,
        health.transitions,
        health.direct,
        f"{health.revisit_rate:.0%}",
        f"{health.excess:.2f}",
        f"{health.six.transition_entropy:.2f}",
        seconds(run.ms),
        ", ".join(alarm.kind.value for alarm in health.alarms),
    )


def _alarms(program: ProgramStats) -> Iterable[str]:
    named = [(run.run, alarm) for run in program.runs for alarm in run.health.alarms]
    for where, alarm in [*named, *(("all runs", alarm) for alarm in program.fleet.alarms)]:
        yield f'<p class="alarm"><strong>{alarm.kind.value}</strong> {shown(where)}: {shown(alarm.message)}</p>'
        rows = [
            (cause.count, f"{cause.edge.source} -{cause.edge.outcome}→ {cause.edge.target}", cause.expected)
            for cause in alarm.causes
        ]
        yield table(("Taken", "Transition", "Expected"), rows)


def graph_of(program: ProgramStats) -> Graph:
    """What to draw of a program: its transitions with how often they were taken, those of alarms, and mean times."""
    known = edges_of(program.program) if program.program else frozenset()
    taken = program.fleet.edges
    ordered = sorted(known, key=lambda edge: (edge.source, edge.outcome)) if known else []
    if program.program:
        rank = {name: index for index, name in enumerate(program.program.states)}
        ordered.sort(key=lambda edge: rank[edge.source])
    first = next(iter(taken), None)
    start = program.program.start if program.program else (first.source if first else "")
    return Graph(
        title=f"{program.name}: {len(program.runs)} runs",
        start=start,
        edges={**dict.fromkeys(ordered, 0), **taken},
        alarmed=frozenset(cause.edge for alarm in program.alarms for cause in alarm.causes),
        notes={one.state: seconds(one.ms // max(one.count, 1)) for one in program.states},
    )
