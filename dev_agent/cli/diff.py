"""`dev-agent diff`: the change of a run as a patch."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, RunName
from dev_agent.cli.session import Session
from dev_agent.programs.folders import find_run
from dev_agent.programs.runs import diff_of

app = command_app()


@app.command()
def diff(run: RunName = "last", *, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Print the change of a run as a patch: coloured on a terminal, as `git apply` takes it in a pipe."""
    session = Session(directory=directory, as_json=as_json)
    found = find_run(session.repository, run)
    session.output.patch(diff_of(found), {"run": found.run})
    return 0
