"""`dev-agent verify`: check the proof of a run or of a receipt file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.verify import verify_page
from dev_agent.cli.session import Session
from dev_agent.programs.folders import find_run
from dev_agent.programs.verify import verify_file, verify_run

app = command_app()

Subject = Annotated[
    str,
    typer.Argument(
        metavar="RUN|FILE", help="A run (see `dev-agent runs`, or `last`), or the file of a receipt."
    ),
]

Head = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="SHA256",
        help="A head of the chain you noted elsewhere: the trace has to hold it still.",
    ),
]


@app.command()
def verify(
    subject: Subject = "last", *, head: Head = None, directory: Directory = HERE, as_json: AsJson = False
) -> int:
    """Check the proof of a run or of a receipt file, offline (exit code 1 if it does not hold)."""
    session = Session(directory=directory, as_json=as_json)
    path = Path(subject)
    if path.exists():
        report = verify_file(path, session.repository_or_none, head=head)
    else:
        report = verify_run(session.repository, find_run(session.repository, subject), head=head)
    session.output.page(verify_page(report))
    return 0 if report.ok else 1
