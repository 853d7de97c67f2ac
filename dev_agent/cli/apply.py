"""`dev-agent apply`: a task and a patch become one commit, or nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import (
    HERE,
    AsJson,
    Branch,
    Directory,
    DryRun,
    MustPass,
    PolicyChoice,
    Quiet,
    SandboxChoice,
)
from dev_agent.cli.pages.report import report_page
from dev_agent.cli.patch_source import read_patch
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.apply import apply as apply_change
from dev_agent.programs.request import ApplyRequest

app = command_app()

Task = Annotated[
    str, typer.Argument(metavar="TASK", help="What the change is for; it becomes the commit's message.")
]
Patch = Annotated[
    str | None,
    typer.Option(
        "--patch", metavar="FILE|-", envvar="DEV_AGENT_PATCH", help="The proposed change; - reads stdin."
    ),
]


@app.command()
def apply(  # noqa: PLR0913 - one parameter an option
    task: Task,
    *,
    patch: Patch = None,
    dry_run: DryRun = False,
    branch: Branch = None,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Stage a patch apart, judge it, and land it as one commit or not at all.

    Accepted patches: unified diffs, SEARCH/REPLACE blocks, apply_patch envelopes, text editor operations, whole
    files and JSON operations, also inside what a model writes around them, and several formats in one text.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    request = ApplyRequest(
        task=task,
        patch=read_patch(patch),
        dry_run=dry_run,
        branch=branch,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
    )
    repository = session.repository
    with stoppable(session), session.output.watching() as reporter:
        report = apply_change(
            repository, request, environ=session.environ, reporter=reporter, cancel=session.cancel
        )
    session.output.page(report_page(report))
    return report.exit_code
