"""`dev-agent gc`: keep private work trees and caches below a size."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.gc import gc_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.gc import collect, plan_collection
from dev_agent.programs.limit import size_limit

app = command_app()

Limit = Annotated[
    str | None,
    typer.Option(
        "--limit",
        metavar="SIZE",
        envvar="DEV_AGENT_CACHE_SIZE",
        help="The size to stay below: 500MB, 2GiB, 0. Default: `cache_size` of the settings, or 2GB.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would go; drop nothing.")]


@app.command()
def gc(
    *,
    limit: Limit = None,
    dry_run: DryRun = False,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Drop the private work trees, mypy caches and verdicts used longest ago, until the rest is small enough.

    Every run ends with this. What somebody is using stays, and so do runs: those are dropped by `prune`.
    """
    session = Session(directory=directory, as_json=as_json)
    with stoppable(session):
        bytes_kept = size_limit(session.repository, limit)
        done = (plan_collection if dry_run else collect)(session.repository, bytes_kept)
    session.output.page(gc_page(done))
    return 0
