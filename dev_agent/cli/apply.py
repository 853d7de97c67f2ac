"""`dev-agent apply`: a task, and a patch, a recipe or a model for it, become one commit, or nothing."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dev_agent.cli.app import TOO_MANY, command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.judging import judge_of
from dev_agent.cli.model_options import (
    BaseUrl,
    Candidates,
    Cassette,
    Effort,
    MaxCalls,
    MaxCost,
    MaxTime,
    MaxTokens,
    ModelName,
    Record,
    Reproduce,
    spending_from,
)
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
    SandboxChoice,
)
from dev_agent.cli.patch_source import read_patch
from dev_agent.cli.session import Session
from dev_agent.cli.task_source import read_task_text
from dev_agent.errors import UsageFault
from dev_agent.programs.apply import apply as apply_change
from dev_agent.programs.choosing import Who, Wish, proposer_for, require_sense
from dev_agent.programs.models import ModelChoice
from dev_agent.programs.request import MAX_TASK, ApplyRequest

app = command_app()


Task = Annotated[
    str | None,
    typer.Argument(metavar="[TASK]", help="What the change is for; it becomes the commit's message."),
]
TaskFile = Annotated[
    str | None,
    typer.Option(
        "--task-file",
        metavar="FILE|-",
        envvar="DEV_AGENT_TASK_FILE",
        help="Read the task from a file; - reads stdin.",
    ),
]
Patch = Annotated[
    str | None,
    typer.Option(
        "--patch", metavar="FILE|-", envvar="DEV_AGENT_PATCH", help="The proposed change; - reads stdin."
    ),
]
Proposers = Annotated[
    Who,
    typer.Option(
        "--proposer",
        metavar="auto|patch|recipes|anthropic|openai|…|recorded",
        envvar="DEV_AGENT_PROPOSER",
        help="Who proposes. `auto`: the patch if there is one, else a recipe that understands the task, else the model "
        "that is set up.",
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="PATTERN",
        envvar="DEV_AGENT_PATH",
        help="A recipe rewrites, or a model is shown, only these files, folders or globs; repeatable.",
    ),
]


class _WithoutCommand(TyperCommand):
    """Knows where somebody wanted to go who wrote a command behind the task."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does. Raises UsageFault that names `run` where words behind `--` are too many."""
        words = args[args.index("--") + 1 :] if "--" in args else []
        try:
            parsed: list[str] = super().parse_args(ctx, args)
        except typer.TyperException as error:
            if not words or TOO_MANY not in error.format_message():
                raise
            raise UsageFault(
                "apply takes a task and no command; a program as the author is for `run`",
                hint=f"dev-agent run --task TEXT -- {shlex.join(words)[:_LONGEST_COMMAND]}",
            ) from None
        return parsed


_LONGEST_COMMAND = 200


@app.command(cls=_WithoutCommand)
def apply(  # noqa: PLR0913 - one parameter an option
    task: Task = None,
    *,
    task_file: TaskFile = None,
    patch: Patch = None,
    proposer: Proposers = Who.AUTO,
    model: ModelName = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    candidates: Candidates = "1",
    reproduce: Reproduce = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_time: MaxTime = None,
    record: Record = None,
    cassette: Cassette = None,
    path: Paths = None,
    dry_run: DryRun = False,
    branch: Branch = None,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    cluster: Cluster = None,
    key: Key = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Stage a change apart, judge it, and land it as one commit or not at all.

    Without a patch a recipe makes the change, if one understands the task (`dev-agent recipes` lists them); else a
    model plans and writes it, if one is set up (docs/models.md).

    Accepted patches: unified diffs, SEARCH/REPLACE blocks, apply_patch envelopes, text editor operations, whole
    files and JSON operations, also inside what a model writes around them, and several formats in one text.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    session.listen()
    wish = Wish(
        who=proposer,
        patched=patch is not None,
        paths=tuple(path or ()),
        model=ModelChoice(
            flags={"model": model, "base_url": base_url, "effort": effort}, record=record, cassette=cassette
        ),
        spending=spending_from(max_calls, max_tokens, max_cost, max_time),
    )
    require_sense(wish)
    request = ApplyRequest(
        task=read_task_text(task, task_file, longest=MAX_TASK),
        patch=b"" if patch is None else read_patch(patch),
        dry_run=dry_run,
        branch=branch,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
        key=key,
        candidates=candidates,
        reproduce=reproduce,
    )
    chosen = proposer_for(request.task, wish, environ=session.environ)
    with judge_of(session, cluster, sandbox) as judge:
        return drive(session, partial(apply_change, proposer=chosen, judge=judge), request)
