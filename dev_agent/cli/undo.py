"""`dev-agent undo`: take back what a run landed."""

from __future__ import annotations

from dev_agent.cli.answer import account
from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.options import HERE, AsJson, Directory, DryRun, PolicyChoice, Quiet, RunName, SandboxChoice
from dev_agent.cli.session import Session
from dev_agent.programs.undo import UndoRequest
from dev_agent.programs.undo import undo as undo_run

app = command_app()


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
    return drive(session, undo_run, request)
