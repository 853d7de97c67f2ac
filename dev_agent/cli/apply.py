"""`dev-agent apply`: a task, and a recipe or a patch for it, become one commit, or nothing."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.options import (
    HERE,
    AsJson,
    Branch,
    Directory,
    DryRun,
    Key,
    MustPass,
    PolicyChoice,
    Quiet,
    SandboxChoice,
)
from dev_agent.cli.patch_source import read_patch
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.apply import apply as apply_change
from dev_agent.programs.recipe_task import read_task
from dev_agent.programs.request import ApplyRequest

app = command_app()


class ProposerChoice(StrEnum):
    """Who proposes: `auto` is the patch if there is one, else a recipe."""

    AUTO = "auto"
    RECIPES = "recipes"
    PATCH = "patch"


Task = Annotated[
    str, typer.Argument(metavar="TASK", help="What the change is for; it becomes the commit's message.")
]
Patch = Annotated[
    str | None,
    typer.Option(
        "--patch", metavar="FILE|-", envvar="DEV_AGENT_PATCH", help="The proposed change; - reads stdin."
    ),
]
Proposers = Annotated[
    ProposerChoice,
    typer.Option(
        "--proposer",
        metavar="auto|recipes|patch",
        envvar="DEV_AGENT_PROPOSER",
        help="Who proposes. `auto`: the patch if there is one, else a recipe.",
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="PATTERN",
        envvar="DEV_AGENT_PATH",
        help="A recipe rewrites only these files, folders or globs; repeatable.",
    ),
]


@app.command()
def apply(  # noqa: PLR0913 - one parameter an option
    task: Task,
    *,
    patch: Patch = None,
    proposer: Proposers = ProposerChoice.AUTO,
    path: Paths = None,
    dry_run: DryRun = False,
    branch: Branch = None,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    key: Key = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Stage a change apart, judge it, and land it as one commit or not at all.

    Without a patch a recipe makes the change, if one understands the task (`dev-agent recipes` lists them).

    Accepted patches: unified diffs, SEARCH/REPLACE blocks, apply_patch envelopes, text editor operations, whole
    files and JSON operations, also inside what a model writes around them, and several formats in one text.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    source = _patch(patch, proposer, path or [])
    request = ApplyRequest(
        task=task,
        patch=b"" if source is None else read_patch(source),
        dry_run=dry_run,
        branch=branch,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
        key=key,
    )
    recipe = read_task(task, path or ()) if source is None else None
    return drive(session, partial(apply_change, recipe=recipe), request)


def _patch(patch: str | None, proposer: ProposerChoice, paths: list[str]) -> str | None:
    """Where the patch is; None if a recipe is to propose. Raises UsageFault for words that contradict each other."""
    if proposer is ProposerChoice.RECIPES and patch is not None:
        raise UsageFault("a recipe is to propose, and a patch is given", hint="leave one of them out")
    if proposer is ProposerChoice.PATCH and patch is None:
        raise UsageFault(
            "no change is proposed: --patch is missing",
            hint="write --patch FILE, or --patch - to read it from standard input",
        )
    if patch is not None and paths:
        raise UsageFault("--path tells a recipe where to work, and a patch is given", hint="leave --path out")
    return patch
