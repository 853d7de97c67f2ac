"""`dev-agent runs`: what was tried in this repository."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.runs import runs_page
from dev_agent.cli.session import Session
from dev_agent.programs.runs import list_runs

app = command_app()


@app.command()
def runs(*, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """List the runs of this repository, newest first."""
    session = Session(directory=directory, as_json=as_json)
    session.output.page(runs_page(list_runs(session.repository)))
    return 0
