"""`dev-agent queue`: test heads as they would land, several at a time, and land the good ones in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.judging import judge_of
from dev_agent.cli.options import HERE, AsJson, Cluster, Directory, PolicyChoice, Quiet, SandboxChoice
from dev_agent.cli.pages.queue import preview_page, queue_page
from dev_agent.cli.queue_watching import watching
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault
from dev_agent.programs.queueing.attempts import How
from dev_agent.programs.queueing.heads import read_names
from dev_agent.programs.queueing.queue import (
    QueueReport,
    QueueRequest,
    preview_queue,
    resume_queue,
    run_queue,
)

app = command_app()

_JOBS, _MOST_JOBS = 2, 64

Heads = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[HEAD…]", help="Branches, commits, or patterns such as 'refs/pull/*/head', in order."
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        "--into",
        metavar="BRANCH",
        envvar="DEV_AGENT_INTO",
        help="Where they land: a branch here, or a remote's (origin/main). Default: the current branch.",
    ),
]
Listed = Annotated[
    str | None,
    typer.Option("--heads", metavar="FILE", envvar="DEV_AGENT_HEADS", help="Heads from a file, one a line."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        envvar="DEV_AGENT_JOBS",
        min=1,
        max=_MOST_JOBS,
        help="Judge N merges at a time; default: 2, or as many as the cluster has slots.",
    ),
]
MaxBatch = Annotated[
    int,
    typer.Option(
        "--max-batch",
        metavar="N",
        envvar="DEV_AGENT_MAX_BATCH",
        min=1,
        max=64,
        help="Test at most N heads together as one merge commit.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the queue that was left unfinished.")]
Preview = Annotated[
    bool, typer.Option("--dry-run", help="Say which heads, and how they merge; judge nothing.")
]


@app.command()
def queue(  # noqa: PLR0913 - one parameter an option
    heads: Heads = None,
    *,
    into: Into = None,
    listed: Listed = None,
    jobs: Jobs = None,
    max_batch: MaxBatch = 4,
    resume: Resume = False,
    dry_run: Preview = False,
    policy: PolicyChoice = None,
    sandbox: SandboxChoice = "auto",
    cluster: Cluster = None,
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Land heads one after the other, each tested on those ahead of it, several at a time.

    What lands is the very commit that was judged, on the very parent it was judged on. Batches that are red are halved;
    a head is put out only when it is red twice alone, on the tip. Exit code 0: all are in the target; 1: some are not;
    3: it could not go on; 6: the target refused a landing; 130: interrupted. --resume goes on after the last three.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    if resume and (heads or listed or dry_run):
        raise UsageFault(
            "--resume goes on with what a queue was begun with", hint="leave heads and --dry-run out"
        )
    names = (*(heads or ()), *(read_names(listed) if listed else ()))
    request = QueueRequest(
        heads=names,
        into=into,
        jobs=jobs or _JOBS,
        max_batch=max_batch,
        how=How(policy=policy, sandbox=sandbox),
    )
    if dry_run:
        preview = preview_queue(session.repository, request)
        session.output.page(preview_page(preview))
        return 1 if preview.stacked.conflicts else 0
    session.listen()
    with judge_of(session, cluster, sandbox) as judge:
        if judge.width is not None and jobs is None:
            request = replace(request, jobs=min(max(judge.width, _JOBS), _MOST_JOBS))
        with stoppable(session), watching(session) as watcher:
            if resume:
                drive: Callable[..., QueueReport] = partial(resume_queue, session.repository, into)
            else:
                drive = partial(run_queue, session.repository, request)
            report = drive(environ=session.environ, watcher=watcher, cancel=session.cancel, judge=judge)
    session.output.page(queue_page(report))
    return report.exit_code
