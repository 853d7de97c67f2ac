"""`dev-agent diff`: the change of a run as a patch."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, RunName
from dev_agent.cli.session import Session
from dev_agent.programs.folders import find_run
from dev_agent.programs.runs import candidate_diff, diff_of

app = command_app()

Candidate = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        metavar="[ROUND.]N",
        help="The change of one of several answers: number N of the last round, or of round ROUND.",
    ),
]


@app.command()
def diff(
    run: RunName = "last",
    *,
    candidate: Candidate = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Print the change of a run as a patch: coloured on a terminal, as `git apply` takes it in a pipe."""
    session = Session(directory=directory, as_json=as_json)
    found = find_run(session.repository, run)
    patch = diff_of(found) if candidate is None else candidate_diff(found, candidate)
    session.output.patch(patch, {"run": found.run, **({"candidate": candidate} if candidate else {})})
    return 0
