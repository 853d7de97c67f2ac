"""Choosing a run on a page: by the address if it names one, else from the newest."""

from __future__ import annotations

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.console.index import Row, RunIndex
from dev_agent.console.place import Place
from dev_agent.programs.folders import RunFolder, find_run

_MOST = 1000


def picked_run(place: Place, key: str = "run", label: str = "Run", *, newest: int = 0) -> RunFolder | None:
    """The run in the query under `key`, or the one chosen now, which is put there. Raises UsageFault for none such.

    `newest` is the one to begin with, counted from the newest.
    """
    rows = RunIndex(place.repository).rows()[:_MOST]
    if not rows:
        st.info("There is no run here yet. `dev-agent apply` makes one.")
        return None
    asked = st.query_params.get(key)
    known = [row.run for row in rows]
    if asked and asked not in known:
        return find_run(place.repository, asked)
    names = {row.run: _words(row) for row in rows}
    chosen = st.selectbox(
        label,
        known,
        index=known.index(asked) if asked else min(newest, len(known) - 1),
        format_func=lambda run: names[run],
        key=f"pick-{key}",
    )
    if chosen != asked:
        st.query_params[key] = chosen
    return find_run(place.repository, chosen)


def _words(row: Row) -> str:
    return (
        f"{row.started[:16].replace('T', ' ')}  {row.outcome}  {escape_line(row.task.split(chr(10))[0])[:80]}"
    )
