"""`dev-agent run`: what a program changes becomes one commit, or nothing."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.judging import judge_of
from dev_agent.cli.options import (
    HERE,
    AsJson,
    Branch,
    Cluster,
    Directory,
    DryRun,
    Key,
    MustPass,
    PolicyChoice,
    Quiet,
)
from dev_agent.cli.session import Session
from dev_agent.programs.proposers import Command
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.run import run as run_command

app = command_app()

Words = Annotated[
    list[str],
    typer.Argument(metavar="-- COMMAND", help="The program and its arguments; no shell in between."),
]
Task = Annotated[
    str | None,
    typer.Option("--task", metavar="TEXT", help="The commit's message; default: the command itself."),
]
Network = Annotated[
    bool, typer.Option("--network", help="Let it use the network, if the sandbox profile gives one.")
]
ProfileFile = Annotated[
    str | None,
    typer.Option("--profile", metavar="FILE", help="The sandbox profile; default: the shipped one."),
]
_LONGEST = 200


@app.command()
def run(  # noqa: PLR0913 - one parameter an option
    command: Words,
    *,
    task: Task = None,
    dry_run: DryRun = False,
    network: Network = False,
    profile: ProfileFile = None,
    branch: Branch = None,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    cluster: Cluster = None,
    key: Key = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Let any program work on a copy, judge what it changed, and land it as one commit or not at all.

    The program sees the files of the base commit at the repository's own path, confined; it starts at the top. A
    status other than 0 rejects the run. Files that git ignores are not part of the change.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    request = ApplyRequest(
        task=task or shlex.join(command)[:_LONGEST],
        patch=b"",
        dry_run=dry_run,
        branch=branch,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        profile=profile,
        key=key,
    )
    proposer = Command(argv=tuple(command), network=network)
    with judge_of(session, cluster) as judge:
        return drive(session, partial(run_command, command=proposer, judge=judge), request)
