"""`dev-agent prune`: drop old runs, caches and private work trees; first a list, then, by the user's word, the deed."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.pages.prune import prune_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.prune import PruneRequest, parse_age, plan_pruning
from dev_agent.programs.prune import prune as prune_now

app = command_app()

OlderThan = Annotated[
    str | None,
    typer.Option(
        "--older-than",
        metavar="AGE",
        envvar="DEV_AGENT_OLDER_THAN",
        help="Runs that began longer ago: 12h, 30d, 8w.",
    ),
]
Keep = Annotated[
    int | None,
    typer.Option("--keep", metavar="N", envvar="DEV_AGENT_KEEP", help="Runs beyond the N newest."),
]
OutcomeChoice = Annotated[
    str | None,
    typer.Option(
        "--outcome",
        metavar="OUTCOME",
        envvar="DEV_AGENT_OUTCOME",
        help="Runs that stand so: rejected, committed, …",
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="RUN", help="This run, also if it waits for somebody; repeatable."),
]
Caches = Annotated[bool, typer.Option("--cache", help="Cached verdicts and baselines.")]
SlotsToo = Annotated[bool, typer.Option("--slots", help="Private work trees that nobody is using.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it; without this it is only listed.")]


@app.command()
def prune(  # noqa: PLR0913 - one parameter an option
    *,
    older_than: OlderThan = None,
    keep: Keep = None,
    outcome: OutcomeChoice = None,
    run: Runs = None,
    cache: Caches = False,
    slots: SlotsToo = False,
    yes: Yes = False,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """List, and with --yes drop, runs nobody needs any more, caches and private work trees.

    A run goes if it fits every criterion given, or is named with --run. What landed, anchors and receipts stay.
    """
    session = Session(directory=directory, as_json=as_json)
    request = PruneRequest(
        older_than=None if older_than is None else parse_age(older_than),
        keep=keep,
        outcome=outcome,
        runs=tuple(run or ()),
        cache=cache,
        slots=slots,
    )
    with stoppable(session):
        done = (prune_now if yes else plan_pruning)(session.repository, request)
    session.output.page(prune_page(done))
    return 0
