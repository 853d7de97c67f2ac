"""`dev-agent undo`: take back what a run landed."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.answer import account
from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet, RunName, SandboxChoice
from dev_agent.cli.pages.report import report_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.undo import UndoRequest
from dev_agent.programs.undo import undo as undo_run

app = command_app()

DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="DEV_AGENT_DRY_RUN", help="Judge everything, land nothing.")
]
PolicyChoice = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME|FILE",
        envvar="DEV_AGENT_POLICY",
        help="A shipped policy (default, strict, ci) or a file.",
    ),
]


@app.command()
def undo(
    run: RunName,
    *,
    dry_run: DryRun = False,
    policy: PolicyChoice = None,
    sandbox: SandboxChoice = "auto",
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Take back what a run landed, by a commit of its own.

    Nothing is judged if that is exactly the tree the run began with; otherwise the result is judged like any
    change. To bring the change back, undo the undo.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    request = UndoRequest(run=run, actor=account(), dry_run=dry_run, policy=policy, sandbox=sandbox)
    repository = session.repository
    with stoppable(session), session.output.watching() as reporter:
        report = undo_run(
            repository, request, environ=session.environ, reporter=reporter, cancel=session.cancel
        )
    session.output.page(report_page(report))
    return report.exit_code
