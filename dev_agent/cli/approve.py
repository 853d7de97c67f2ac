"""`dev-agent approve`: let a run that waits for a person land."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.answer import answer
from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet, RunName

app = command_app()

Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", envvar="DEV_AGENT_REASON", help="Why; it is recorded.")
]


@app.command()
def approve(
    run: RunName,
    *,
    reason: Reason = "",
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Let a run that waits for a person land. The approval is for the exact tree that was judged."""
    return answer(run, approved=True, reason=reason, directory=directory, as_json=as_json, quiet=quiet)
