"""`dev-agent recover`: put in order what a crash left behind."""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.recovery import recovery_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.recovery import recover_everything

app = command_app()


@app.command()
def recover(*, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Put in order what a crash left behind; every command that changes something does so first."""
    session = Session(directory=directory, as_json=as_json)
    with stoppable(session):
        done = recover_everything(session.repository)
    session.output.page(recovery_page(done))
    return 0
