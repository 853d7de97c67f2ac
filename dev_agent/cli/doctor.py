"""`dev-agent doctor`: is this machine and repository ready?"""

from __future__ import annotations

from dev_agent.cli.app import command_app
from dev_agent.cli.failure import ExitCode
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.doctor import doctor_page
from dev_agent.cli.session import Session
from dev_agent.programs.doctor import examine

app = command_app()


@app.command()
def doctor(*, directory: Directory = HERE, as_json: AsJson = False) -> int:
    """Say whether this machine and repository are ready, and what to do if not (exit code 3)."""
    session = Session(directory=directory, as_json=as_json)
    findings = examine(directory, session.environ)
    session.output.page(doctor_page(findings))
    return int(ExitCode.ENVIRONMENT) if any(one.status == "lack" for one in findings) else 0
