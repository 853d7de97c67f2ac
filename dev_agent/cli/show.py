"""`dev-agent show`: what happened in a run, and why."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, RunName
from dev_agent.cli.pages.runs import show_page
from dev_agent.cli.session import Session
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.folders import find_run
from dev_agent.programs.runs import read_run

app = command_app()


@app.command()
def show(run: RunName = "last", *, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Tell what happened in a run: path and times, gates, policy findings, where the proof lies."""
    session = Session(directory=directory, as_json=as_json)
    found = find_run(session.repository, run)
    require_anchored(session.repository, found)
    session.output.page(show_page(read_run(found)))
    return 0
