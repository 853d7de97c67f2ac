"""All runs: filtered by how they ended, program, proposer, day and words; what they add up to; a link to each."""

from __future__ import annotations

from datetime import date

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.output.page import count, seconds
from dev_agent.console.choosing import Choice, by_day, spent, values
from dev_agent.console.index import Row, RunIndex
from dev_agent.console.place import Place

_MOST = 10_000


def render(place: Place) -> None:
    """Show the page."""
    rows = _rows(place)
    if not rows:
        st.info("There is no run here yet. `dev-agent apply` makes one.")
        return
    choice = _choice(rows)
    chosen = [row for row in rows if choice.takes(row)]
    good = sum(row.outcome in ("committed", "verified", "no_change") for row in chosen)
    cost = spent(chosen)
    for column, (label, value) in zip(
        st.columns(4),
        (
            ("Runs", f"{len(chosen)} of {len(rows)}"),
            ("Landed or verified", str(good)),
            ("Time", seconds(sum(row.ms for row in chosen))),
            ("Cost", cost.money if cost.calls else "none"),
        ),
        strict=True,
    ):
        column.metric(label, value)
    days = by_day(chosen)
    if len(days) > 1:
        st.bar_chart(
            {
                "day": [one.day for one in days],
                "runs": [one.runs for one in days],
                "good": [one.good for one in days],
            },
            x="day",
            y=["runs", "good"],
            stack=False,
            height=160,
        )
    _table(chosen)


def _rows(place: Place) -> tuple[Row, ...]:
    bar = st.empty()

    def progress(done: int, everything: int) -> None:
        if everything > 50 and done % 25 == 0:
            bar.progress(done / everything, f"reading {count(everything, 'run')} for the first time")

    rows = RunIndex(place.repository).rows(progress)
    bar.empty()
    return rows


def _choice(rows: tuple[Row, ...]) -> Choice:
    first, second, third, fourth = st.columns([2, 2, 2, 3])
    outcomes = first.multiselect("Outcome", values(rows, "outcome"), key="outcomes")
    programs = second.multiselect("Program", values(rows, "program"), key="programs")
    proposers = third.multiselect("Proposer", values(rows, "proposer"), key="proposers")
    words = fourth.text_input("Words of the task, id or reason", key="words")
    begin, end, _ = st.columns([2, 2, 5])
    since = begin.date_input("From", value=None, key="since")
    until = end.date_input("To", value=None, key="until")
    return Choice(
        outcomes=frozenset(outcomes),
        programs=frozenset(programs),
        proposers=frozenset(proposers),
        since=since if isinstance(since, date) else None,
        until=until if isinstance(until, date) else None,
        words=words,
    )


def _table(rows: list[Row]) -> None:
    """The rows. Their texts are cells: nothing in them is markup to the table."""
    shown = rows[:_MOST]
    st.dataframe(
        {
            "run": [f"/run?run={row.run}" for row in shown],
            "began": [row.started[:19].replace("T", " ") for row in shown],
            "outcome": [row.outcome.replace("_", " ") for row in shown],
            "task": [escape_line(row.task.split("\n")[0] or row.reason) for row in shown],
            "program": [escape_line(row.program) for row in shown],
            "proposer": [escape_line(row.proposer) for row in shown],
            "files": [row.files for row in shown],
            "seconds": [row.ms / 1000 for row in shown],
            "commit": [(row.commit or "")[:12] for row in shown],
        },
        column_config={
            "run": st.column_config.LinkColumn("run", display_text=r"\?run=(.*)$", width="medium"),
            "task": st.column_config.TextColumn("task", width="large"),
            "seconds": st.column_config.NumberColumn("seconds", format="%.1f"),
        },
        hide_index=True,
        height=min(35 * len(shown) + 40, 900),
        key="table",
    )
    if len(rows) > _MOST:
        st.caption(f"{len(rows) - _MOST} more are not listed: choose fewer.")
