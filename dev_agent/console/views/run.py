"""One run: how it ended and why, gates with what failed, policy, the diff, the path through the graph, the proof."""

from __future__ import annotations

import getpass

import streamlit as st

from dev_agent.cli.pages.run_html import PATH, RunView, graphs_of, run_html, sections_of, summary
from dev_agent.console.looks import fragment
from dev_agent.console.picking import picked_run
from dev_agent.console.place import Place
from dev_agent.programs.exchange import exchange_of
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.programs.stats import StatsRequest, stats
from dev_agent.programs.verify import verify_run


def render(place: Place) -> None:
    """Show the page."""
    folder = picked_run(place)
    if folder is None:
        return
    view = view_of(place, folder)
    st.html(fragment(summary(view)))
    if view.record.report.outcome is Outcome.SUSPENDED:
        _answer(place, folder)
    sections = sections_of(view)
    for tab, (title, html) in zip(st.tabs([title for title, _ in sections]), sections, strict=True):
        with tab:
            if title == PATH:
                for graph in graphs_of(view):
                    st.image(graph)
            st.html(fragment([html]))
    st.download_button(
        "This page as one file", run_html(view), file_name=f"{folder.run}.html", mime="text/html", key="page"
    )


def view_of(place: Place, folder: RunFolder) -> RunView:
    """Everything about a run, computed from its trace now."""
    return RunView(
        record=read_run(folder),
        stats=stats(place.repository, StatsRequest(runs=(folder.run,))),
        proof=verify_run(place.repository, folder),
        exchange=exchange_of(folder),
    )


def _answer(place: Place, folder: RunFolder) -> None:
    """The two buttons of a person, where that was allowed; the answer is a command like any other."""
    if not place.approvals:
        st.info(
            f"It waits for a person: `dev-agent approve {folder.run}` or `dev-agent reject {folder.run}`."
        )
        return
    reason = st.text_input("Why", key="reason", max_chars=1000)
    yes, no, _ = st.columns([1, 1, 6])
    approve = yes.button("Approve", key="approve", type="primary", disabled=not reason.strip())
    reject = no.button("Reject", key="reject", disabled=not reason.strip())
    if approve or reject:
        told = f"--reason=console, {getpass.getuser()}: {reason}"
        answer = place.run("approve" if approve else "reject", told, "--", folder.run)
        if answer.failure:
            st.code(answer.failure, language=None)
        else:
            st.rerun()
