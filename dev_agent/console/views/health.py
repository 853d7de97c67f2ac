"""How runs go, against their program's own graph and against each other: alarms with the edges that caused them."""

from __future__ import annotations

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.pages.drawing import drawing
from dev_agent.cli.pages.stats_html import graph_of
from dev_agent.console.place import Place
from dev_agent.programs.stats import ProgramStats, StatsRequest, stats

_AGES = {"a day": "1d", "a week": "7d", "30 days": "30d", "a year": "365d", "all": None}


def render(place: Place) -> None:
    """Show the page."""
    age = st.radio("Runs of the last", list(_AGES), index=2, horizontal=True, key="age")
    found = stats(place.repository, StatsRequest(since=_AGES[age or "all"]))
    for warning in found.warnings:
        st.warning("A trace was left out.")
        st.code(escape_line(warning), language=None)
    if not found.programs:
        st.info("No run in that time.")
        return
    names = [one.name for one in found.programs]
    for tab, program in zip(st.tabs([escape_line(name) for name in names]), found.programs, strict=True):
        with tab:
            _program(program)


def _program(program: ProgramStats) -> None:
    alarms = [(run.run, alarm) for run in program.runs for alarm in run.health.alarms]
    everything = [*alarms, *(("all runs", alarm) for alarm in program.fleet.alarms)]
    if not everything:
        st.success("No alarm: every run went as straight as its program lets it.")
    for where, alarm in everything[:20]:
        st.error(f"{alarm.kind.value}: {len(alarm.causes)} transitions")
        st.code(escape_line(f"{where}: {alarm.message}"), language=None, wrap_lines=True)
        st.dataframe(
            {
                "transition": [
                    escape_line(f"{one.edge.source} -{one.edge.outcome}→ {one.edge.target}")
                    for one in alarm.causes
                ],
                "taken": [str(one.count) for one in alarm.causes],
                "expected": [str(one.expected) for one in alarm.causes],
            },
            hide_index=True,
        )
    st.image(drawing(graph_of(program)))
    ordered = sorted(program.runs, key=lambda run: run.started)
    if len(ordered) > 1:
        st.line_chart(
            {
                "run": list(range(1, len(ordered) + 1)),
                "transitions": [run.health.transitions for run in ordered],
                "shortest": [run.health.direct for run in ordered],
            },
            x="run",
            y=["transitions", "shortest"],
            height=220,
        )
    st.dataframe(
        {
            "run": [f"/run?run={run.run}" for run in reversed(ordered)],
            "outcome": [run.outcome for run in reversed(ordered)],
            "steps": [run.health.transitions for run in reversed(ordered)],
            "direct": [run.health.direct for run in reversed(ordered)],
            "again": [run.health.revisit_rate for run in reversed(ordered)],
            "excess": [run.health.excess for run in reversed(ordered)],
            "entropy": [run.health.six.transition_entropy for run in reversed(ordered)],
        },
        column_config={"run": st.column_config.LinkColumn("run", display_text=r"\?run=(.*)$")},
        hide_index=True,
    )
