"""`dev-agent erase`: list the payloads of a run, and erase them, with the proof left whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.answer import account
from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, RunName
from dev_agent.cli.pages.erase import erase_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.erase import EraseRequest
from dev_agent.programs.erase import erase as erase_now
from dev_agent.programs.folders import TRACE, RunFolder, find_run
from dev_agent.programs.recovery import recover_everything

app = command_app()

BlobNames = Annotated[
    list[str] | None,
    typer.Option(
        "--blob", metavar="NAME|COMMITMENT", help="This payload, e.g. request.task or output; repeatable."
    ),
]
Match = Annotated[
    str | None,
    typer.Option(
        "--match", metavar="TEXT", help="Every payload that holds this text; also looked for elsewhere."
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="Every payload of the run.")]
Why = Annotated[
    str,
    typer.Option(
        "--reason", metavar="TEXT", envvar="DEV_AGENT_REASON", help="Why; it is recorded, and stays."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would go, and what would stay.")]


@app.command()
def erase(
    run: RunName,
    *,
    blob: BlobNames = None,
    match: Match = None,
    everything: Everything = False,
    reason: Why = "",
    dry_run: DryRun = False,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """List the payloads of a run; with --blob, --match or --all erase them for good.

    The trace keeps a record of who erased what and why, and its proof stays whole. Exit code 1 if the text of --match
    is somewhere it cannot be erased; every such place is named. Exit code 2 if it is nowhere: it may be misspelt.
    """
    session = Session(directory=directory, as_json=as_json)
    request = EraseRequest(
        actor=account(), blobs=tuple(blob or ()), match=match, everything=everything, reason=reason
    )
    path = Path(run)
    with stoppable(session):
        if (path / TRACE).is_file():
            folder, repository = (
                RunFolder(run=path.resolve().name, path=path.resolve()),
                session.repository_or_none,
            )
            if repository is not None and folder.path.parent != repository.state_dir / "runs":
                repository = None
        else:
            repository = session.repository
            folder = find_run(repository, run)
        if repository is not None and request.chooses and not dry_run:
            recover_everything(repository)
        done = erase_now(repository, folder, request, dry_run=dry_run)
    session.output.page(erase_page(done, dry_run=dry_run))
    return done.exit_code
