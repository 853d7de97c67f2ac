"""`dev-agent show`: what happened in a run, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, RunName
from dev_agent.cli.output.file import write_page
from dev_agent.cli.pages.runs import show_page
from dev_agent.cli.session import Session
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.folders import RunFolder, find_run
from dev_agent.programs.runs import RunRecord, read_run
from dev_agent.repository.discovery import Repository

app = command_app()

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the run as one page of its own to FILE."),
]


Candidates = Annotated[
    bool,
    typer.Option("--candidates", help="Tell of every answer that was tried what each gate said."),
]


@app.command()
def show(
    run: RunName = "last",
    *,
    candidates: Candidates = False,
    html: Html = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Tell what happened in a run: path and times, gates, policy findings, where the proof lies."""
    session = Session(directory=directory, as_json=as_json)
    found = find_run(session.repository, run)
    require_anchored(session.repository, found)
    record = read_run(found)
    if html is not None:
        write_page(html, _html(session.repository, found, record))
    session.output.page(show_page(record, candidates=candidates))
    return 0


def _html(repository: Repository, folder: RunFolder, record: RunRecord) -> str:
    from dev_agent.cli.pages.run_html import RunView, run_html  # noqa: PLC0415 - for a page only
    from dev_agent.programs.exchange import exchange_of  # noqa: PLC0415
    from dev_agent.programs.stats import StatsRequest, stats  # noqa: PLC0415
    from dev_agent.programs.verify import verify_run  # noqa: PLC0415

    return run_html(
        RunView(
            record=record,
            stats=stats(repository, StatsRequest(runs=(folder.run,))),
            proof=verify_run(repository, folder),
            exchange=exchange_of(folder),
        )
    )
