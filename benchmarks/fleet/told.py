"""Outcomes and costs as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from benchmarks.fleet.costs import SOURCES, Costs
from benchmarks.fleet.measured import Measured
from benchmarks.fleet.outcome import Outcome


def outcomes_table(outcomes: Sequence[Outcome]) -> str:
    """A row an outcome; what the columns are stands below."""
    head = (
        "policy",
        "workers",
        "hours",
        "per hour",
        "p50",
        "p95",
        "judgements",
        "wasted",
        "busy",
        "driver",
        "out",
        "good out",
    )
    rows = [
        (
            one.policy,
            f"{one.workers}",
            f"{one.hours:.1f}",
            f"{one.per_hour:.0f}",
            _minutes(one.p50),
            _minutes(one.p95),
            f"{one.judgements:,}",
            f"{one.wasted:.0%}",
            f"{one.busy:.0%}",
            f"{one.driver:.0%}",
            f"{one.out}",
            f"{one.good_out}",
        )
        for one in outcomes
    ]
    foot = (
        "\nhours: from the first head to the last decision; per hour: heads decided; p50, p95: from coming in to\n"
        "landed; wasted: workers' time for judgements no decision rests on; busy, driver: share of the time the\n"
        "workers and the driving process were busy; out: heads put out; good out: those with nothing wrong.\n"
    )
    return _aligned([head, *rows]) + foot


def costs_table(costs: Costs) -> str:
    """Every cost with where it is from."""
    rows = [(one.name, f"{getattr(costs, one.name):g}", SOURCES[one.name]) for one in fields(costs)]
    return _aligned([("cost", "value", "from"), *rows])


def measured_table(measured: Sequence[Measured], costs: Costs) -> str:
    """What was measured now beside what the simulation takes."""
    rows = [
        (
            one.what,
            f"{one.seconds * 1000:.3g} ms",
            f"{getattr(costs, one.cost) * 1000:g} ms" if one.cost else "",
            one.cost,
        )
        for one in measured
    ]
    return _aligned([("measured now", "", "taken", "cost"), *rows])


def _minutes(value: float) -> str:
    return f"{value:.1f} min" if value < 100 else f"{value / 60:.1f} h"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    return "\n".join(lines) + "\n"
