"""`dev-agent check`: a change that exists is judged, and nothing is landed."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.judging import judge_of
from dev_agent.cli.options import (
    HERE,
    AsJson,
    Cluster,
    Directory,
    MustPass,
    PolicyChoice,
    Quiet,
    SandboxChoice,
)
from dev_agent.cli.patch_source import read_patch
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.check import Checked, CheckRequest, Index, Patch, Range, WorkTree
from dev_agent.programs.check import check as check_change

app = command_app()

Commits = Annotated[
    str | None,
    typer.Argument(
        metavar="BASE..HEAD",
        help="Commits: the tree of HEAD against BASE, with ... against their merge base.",
    ),
]
PatchFile = Annotated[str | None, typer.Option("--patch", metavar="FILE|-", help="A patch; - reads stdin.")]
Staged = Annotated[bool, typer.Option("--staged", help="What `git commit` would commit now.")]
Tracked = Annotated[bool, typer.Option("--worktree", help="What `git commit -a` would commit now.")]
Untracked = Annotated[
    bool, typer.Option("--untracked", help="With --worktree: new files too, unless git ignores them.")
]


@app.command()
def check(  # noqa: PLR0913 - one parameter an option
    commits: Commits = None,
    *,
    patch: PatchFile = None,
    staged: Staged = False,
    worktree: Tracked = False,
    untracked: Untracked = False,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    cluster: Cluster = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge a change that exists, and land nothing.

    Policy, settings and gates are those of the base (HEAD, or the BASE of a range), never of the change. Index and
    work tree are only read. Exit code 0: verified, or nothing to judge; 1: rejected.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    request = CheckRequest(
        checked=checked_of(commits, patch, staged=staged, worktree=worktree, untracked=untracked),
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
    )
    with judge_of(session, cluster, sandbox) as judge:
        return drive(session, partial(check_change, judge=judge), request)


def checked_of(
    commits: str | None, patch: str | None, *, staged: bool, worktree: bool, untracked: bool
) -> Checked:
    """The one thing that is named. Raises UsageFault if it is none or several, or the words do not fit."""
    if untracked and not worktree:
        raise UsageFault("--untracked says more about --worktree, which is missing", hint="add --worktree")
    named = [commits is not None, patch is not None, staged, worktree]
    if sum(named) != 1:
        raise UsageFault(
            "say what to judge" if not any(named) else "only one thing is judged at a time",
            hint="one of: BASE..HEAD, --patch FILE, --staged, --worktree",
        )
    if commits is not None:
        return Range(text=commits)
    if patch is not None:
        return Patch(content=read_patch(patch))
    return Index() if staged else WorkTree(untracked=untracked)
