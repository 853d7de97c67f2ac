"""Numbers over runs: outcomes, health with its alarms, times and costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, seconds, span, table
from dev_agent.cli.pages.report import outcome_style
from dev_agent.programs.stats import ProgramStats, RunStats, Stats
from dev_agent.runtime.health import Alarm, Cause, RunHealth

_MOST_RUNS = 30


def stats_page(stats: Stats) -> Page:
    """One section a program; the closing line counts the alarms."""
    return Page(data=_data(stats), lines=(*_lines(stats), *_closing(stats)))


def _lines(stats: Stats) -> Iterable[Line]:
    for text in stats.warnings:
        yield from prose(text, lead=(span("warning: ", Style.WARN),))
    for program in stats.programs:
        yield line(
            span(program.name, Style.STRONG),
            span(f"  {count(len(program.runs), 'run')}", Style.DIM),
            span(f"  against {count(program.baseline, 'run')}" if program.baseline else "", Style.DIM),
        )
        yield from _blocks(program)
        yield line("")


def _blocks(program: ProgramStats) -> Iterable[Line]:
    yield from table(
        [
            (
                span(str(number)),
                span(outcome.replace("_", " "), outcome_style(outcome)),
                span(reason, Style.DIM),
            )
            for (outcome, reason), number in program.outcomes.items()
        ],
        indent=2,
    )
    yield line("")
    head = ("RUN", "OUTCOME", "STEPS", "DIRECT", "AGAIN", "EXCESS", "ENTROPY", "TIME", "ALARMS")
    rows = [tuple(span(text, Style.DIM) for text in head), *map(_row, program.runs[:_MOST_RUNS])]
    yield from table(rows, indent=2)
    if len(program.runs) > _MOST_RUNS:
        yield line(
            span(f"… and {len(program.runs) - _MOST_RUNS} more; --json lists all", Style.DIM), indent=2
        )
    yield line("")
    yield from table(list(_times(program)), indent=2)
    if program.fleet.distance is not None:
        yield from prose(f"distance from the baseline: {program.fleet.distance:.2f} of 1", indent=2)
    for run in program.runs:
        for alarm in run.health.alarms:
            yield from _alarm(alarm, run.run)
    for alarm in program.fleet.alarms:
        yield from _alarm(alarm, f"all {program.name} runs")


def _row(run: RunStats) -> tuple[Any, ...]:
    health = run.health
    alarms = ", ".join(alarm.kind.value for alarm in health.alarms)
    return (
        span(run.run, Style.NAME),
        span(run.outcome.replace("_", " "), outcome_style(run.outcome)),
        span(str(health.transitions)),
        span(str(health.direct)),
        span(f"{health.revisit_rate:.0%}"),
        span(f"{health.excess:.2f}"),
        span(f"{health.six.transition_entropy:.2f}", Style.DIM),
        span(seconds(run.ms)),
        span(alarms or "-", Style.BAD if alarms else Style.DIM),
    )


def _times(program: ProgramStats) -> Iterable[tuple[Any, ...]]:
    yield tuple(span(text, Style.DIM) for text in ("STATE", "TIMES", "MEAN", "TOTAL", "COST"))
    for state in program.states:
        cost = " ".join(f"{key}={amount}" for key, amount in state.cost.items())
        mean = seconds(state.ms // max(state.count, 1))
        yield (
            span(state.state),
            span(str(state.count)),
            span(mean),
            span(seconds(state.ms)),
            span(cost or "-"),
        )
    for gate in program.gates:
        ended = " ".join(f"{outcome}={number}" for outcome, number in gate.outcomes.items())
        mean = seconds(gate.ms // gate.count)
        yield (
            span(gate.name),
            span(str(gate.count)),
            span(mean),
            span(seconds(gate.ms)),
            span(ended, Style.DIM),
        )


def _alarm(alarm: Alarm, where: str) -> Iterable[Line]:
    yield line("")
    lead = (span(f"{alarm.kind.value}  ", Style.BAD), span(f"{where}: ", Style.NAME))
    yield from prose(alarm.message, indent=2, lead=lead)
    yield from table([_cause(cause) for cause in alarm.causes], indent=6)


def _cause(cause: Cause) -> tuple[Any, ...]:
    edge = cause.edge
    return (
        span(f"{cause.count}×"),
        span(f"{edge.source} -{edge.outcome}→ {edge.target}"),
        span(f"expected {cause.expected}", Style.DIM),
    )


def _closing(stats: Stats) -> tuple[Line, ...]:
    if not stats.programs:
        return prose("There is no run to measure.")
    if not stats.alarms:
        return prose("no alarm.", lead=(span("Healthy: ", Style.GOOD),))
    said = f"{count(stats.alarms, 'alarm')}; the transitions responsible are named above."
    return prose(said, lead=(span("Look at this: ", Style.BAD),))


def _data(stats: Stats) -> Mapping[str, Any]:
    return {
        "programs": [_program_json(program) for program in stats.programs],
        "alarms": stats.alarms,
        "warnings": list(stats.warnings),
    }


def _program_json(program: ProgramStats) -> dict[str, Any]:
    fleet = program.fleet
    return {
        "program": program.name,
        "digest": program.digest,
        "outcomes": [
            {"outcome": outcome, "reason": reason, "count": number}
            for (outcome, reason), number in program.outcomes.items()
        ],
        "runs": [_run_json(run) for run in program.runs],
        "gates": [
            {
                "name": gate.name, "count": gate.count, "outcomes": dict(gate.outcomes),
                "ms": gate.ms, "longest_ms": gate.longest_ms,
            }
            for gate in program.gates
        ],
        "states": [
            {"state": one.state, "count": one.count, "ms": one.ms, "cost": dict(one.cost)} for one in program.states
        ],
        "edges": [
            {"from": edge.source, "outcome": edge.outcome, "to": edge.target, "count": number}
            for edge, number in fleet.edges.items()
        ],
        "branching": [
            {
                "state": one.state, "degree": one.degree, "outcomes": dict(one.outcomes),
                "share": _rounded(one.share),
            }
            for one in fleet.branching
        ],
        "baseline": program.baseline,
        "distance": _rounded(fleet.distance),
        "alarms": [_alarm_json(alarm) for alarm in fleet.alarms],
    }  # fmt: skip


def _run_json(run: RunStats) -> dict[str, Any]:
    return {
        "run": run.run,
        "started": run.started,
        "outcome": run.outcome,
        "reason": run.reason,
        "ms": run.ms,
        "health": health_json(run.health),
    }


def health_json(health: RunHealth) -> dict[str, Any]:
    """The health of one run; fractions with six digits, null where a metric needs what is not known."""
    return {
        "transitions": health.transitions,
        "direct": health.direct,
        "revisits": health.revisits,
        "stretch": _rounded(health.stretch),
        "revisit_rate": _rounded(health.revisit_rate),
        "excess": _rounded(health.excess),
        "headroom": _rounded(health.headroom),
        "excess_limit": _rounded(health.excess_limit),
        "metrics": {name: _rounded(value) for name, value in health.six.to_json().items()},
        "seed_alarms": health.six.beyond(),
        "alarms": [_alarm_json(alarm) for alarm in health.alarms],
    }


def _alarm_json(alarm: Alarm) -> dict[str, Any]:
    return {
        "kind": alarm.kind.value,
        "message": alarm.message,
        "value": _rounded(alarm.value),
        "limit": _rounded(alarm.limit),
        "edges": [cause.to_json() for cause in alarm.causes],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
