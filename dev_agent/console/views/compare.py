"""Two runs side by side: what they are, where their paths part, and their gates."""

from __future__ import annotations

from itertools import zip_longest

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.output.page import seconds
from dev_agent.cli.pages.run_html import summary
from dev_agent.console.looks import fragment
from dev_agent.console.picking import picked_run
from dev_agent.console.place import Place
from dev_agent.console.views.run import view_of
from dev_agent.programs.runs import RunRecord


def render(place: Place) -> None:
    """Show the page."""
    left, right = st.columns(2)
    with left:
        one = picked_run(place, "run", "One run")
    with right:
        other = picked_run(place, "with", "Another run", newest=1)
    if one is None or other is None:
        return
    views = view_of(place, one), view_of(place, other)
    for column, view in zip((left, right), views, strict=True):
        with column:
            st.html(fragment(summary(view)))
    first, second = (view.record for view in views)
    st.subheader("Path")
    parted = _parting(first, second)
    st.caption("Both went the same way." if parted is None else f"They part at step {parted + 1}.")
    steps = list(zip_longest(_steps(first), _steps(second), fillvalue=("", "")))
    st.dataframe(
        {
            "step": list(range(1, len(steps) + 1)),
            "one": [mine[0] for mine, _ in steps],
            "its time": [mine[1] for mine, _ in steps],
            "another": [yours[0] for _, yours in steps],
            "time": [yours[1] for _, yours in steps],
        },
        hide_index=True,
        key="steps",
    )
    st.subheader("Gates")
    st.dataframe(_gates(first, second), hide_index=True, key="gates")


def _steps(record: RunRecord) -> list[tuple[str, str]]:
    return [(escape_line(f"{step.state} {step.outcome}"), seconds(step.ms)) for step in record.path]


def _parting(one: RunRecord, other: RunRecord) -> int | None:
    """The first step at which they differ, None if there is none."""
    ways = [[(step.state, step.outcome) for step in record.path] for record in (one, other)]
    for number, (mine, yours) in enumerate(zip_longest(*ways)):
        if mine != yours:
            return number
    return None


def _gates(one: RunRecord, other: RunRecord) -> dict[str, list[str]]:
    told = [{_name(verdict): _said(verdict) for verdict in record.verdicts} for record in (one, other)]
    names = sorted({*told[0], *told[1]})
    return {
        "gate": [escape_line(name) for name in names],
        "one": [told[0].get(name, "") for name in names],
        "another": [told[1].get(name, "") for name in names],
    }


def _name(verdict: object) -> str:
    return str(verdict.get("gate", "")) if hasattr(verdict, "get") else ""


def _said(verdict: object) -> str:
    if not hasattr(verdict, "get"):
        return ""
    new = len(verdict.get("new_failures") or ())
    failing = f", {new} new" if new else ""
    return escape_line(f"{verdict.get('result', '')}{failing}, {verdict.get('passed', 0)} passed")
