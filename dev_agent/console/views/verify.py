"""The proof of a run, computed anew on every showing: the chain, the receipt, anchors, trailers, signature."""

from __future__ import annotations

import re

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.console.picking import picked_run
from dev_agent.console.place import Place
from dev_agent.programs.verify import verify_run

_HEAD = re.compile(r"\s*[0-9a-fA-F]{64}\s*")


def render(place: Place) -> None:
    """Show the page."""
    folder = picked_run(place)
    if folder is None:
        return
    noted = st.text_input("A head of the chain that you noted elsewhere", key="head", max_chars=80)
    if noted and not _HEAD.fullmatch(noted):
        st.warning("A head has 64 hexadecimal digits.")
    report = verify_run(place.repository, folder, head=noted if _HEAD.fullmatch(noted) else None)
    if report.ok:
        st.success("The proof holds.")
    else:
        where = f" The first bad event is number {report.first_bad}." if report.first_bad is not None else ""
        st.error(f"The proof does not hold: do not rely on this run.{where}")
    st.dataframe(
        {
            "": [one.mark.value for one in report.checks],
            "check": [one.name for one in report.checks],
            "detail": [escape_line(one.detail) for one in report.checks],
        },
        hide_index=True,
        key="checks",
    )
    st.caption(f"{report.events} events")
    st.code(report.head, language=None)
