"""The numbers over runs as files: a page with its graphs, or the graphs alone.

Self-contained: no script, no font, no image and no address but the name of XML's vocabulary. A browser is told so by
the page's content policy, and shows it light or dark as its user likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dev_agent.cli.output.page import Line, seconds
from dev_agent.cli.pages.drawing import Graph, drawing, shown
from dev_agent.cli.pages.stats import stats_page
from dev_agent.programs.stats import ProgramStats, RunStats, Stats
from dev_agent.runtime.health import edges_of

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dev-agent: runs</title>
<style>
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --line: #d0d7de; --bad: #cf222e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --bad: #ff7b72 }
}
body { margin: 2rem; color: var(--ink); background: var(--paper); font: 15px/1.5 sans-serif }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .8rem; border-bottom: 1px solid var(--line); text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.alarm { color: var(--bad) }
.wide { overflow-x: auto }
</style>
</head>
<body>
"""
_RUNS = ("Run", "Outcome", "Reason", "Steps", "Direct", "Again", "Excess", "Entropy", "Time", "Alarms")
_STATES = ("State", "Times", "Mean", "Total", "Cost")


def stats_svg(stats: Stats) -> str:
    """The graph of every program, one below the other, as one SVG document."""
    parts, top, widest = [], 0, 0
    for program in stats.programs:
        drawn = drawing(_graph(program))
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
    parts = [_HEAD, "<h1>Runs</h1>"]
    parts += [f'<p class="alarm">{shown(text)}</p>' for text in stats.warnings]
    for program in stats.programs:
        parts += _program(program)
    closing = stats_page(stats).lines[-1:]
    parts += [f"<p><strong>{shown(_plain(one))}</strong></p>" for one in closing]
    return "\n".join([*parts, "</body>", "</html>\n"])


def _plain(one: Line) -> str:
    return one.text


def _program(program: ProgramStats) -> Iterable[str]:
    yield f"<h2>{shown(program.name)}</h2>"
    ended = [(number, outcome, reason) for (outcome, reason), number in program.outcomes.items()]
    yield _table(("Runs", "Outcome", "Reason"), ended)
    yield f'<div class="wide">{drawing(_graph(program))}</div>'
    if program.fleet.distance is not None:
        yield f"<p>Distance from the baseline: {program.fleet.distance:.2f} of 1</p>"
    yield from _alarms(program)
    yield _table(_RUNS, [_run(run) for run in program.runs])
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
    yield _table(_STATES, [*states, *gates])


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
        yield _table(("Taken", "Transition", "Expected"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    titles = "".join(f"<th>{shown(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>\n{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{shown(str(value))}</td>"


def _graph(program: ProgramStats) -> Graph:
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
    )
