"""`dev-agent resume`: go on with a run that was interrupted, killed or kept."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet, RunName
from dev_agent.cli.session import Session
from dev_agent.programs.resume import resume as resume_run

app = command_app()


@app.command()
def resume(
    run: RunName, *, directory: Directory = HERE, as_json: AsJson = False, quiet: Quiet = False
) -> int:
    """Go on with an interrupted run, from its trace alone."""
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    return drive(session, resume_run, run)
