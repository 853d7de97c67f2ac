"""`dev-agent doctor`: is this machine and repository ready?"""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.failure import ExitCode
from dev_agent.cli.options import HERE, AsJson, Directory, SandboxChoice
from dev_agent.cli.pages.doctor import doctor_page
from dev_agent.cli.session import Session
from dev_agent.programs.doctor import examine

app = command_app()

Online = Annotated[
    bool,
    typer.Option(
        "--online",
        envvar="DEV_AGENT_ONLINE",
        help="Also ask the model's service whether it takes key and model. Asks no question, costs nothing.",
    ),
]


@app.command()
def doctor(
    *,
    directory: Directory = HERE,
    as_json: AsJson = False,
    online: Online = False,
    sandbox: SandboxChoice = "auto",
) -> int:
    """Say whether this machine and repository are ready, and what to do if not (exit code 3)."""
    session = Session(directory=directory, as_json=as_json)
    findings = examine(directory, session.environ, online=online, sandbox=sandbox)
    session.output.page(doctor_page(findings))
    return int(ExitCode.ENVIRONMENT) if any(one.status == "lack" for one in findings) else 0
