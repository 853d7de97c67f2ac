"""`dev-agent campaign`: one task in many repositories, each in its own run, under one budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dev_agent.cli.app import command_app
from dev_agent.cli.apply import Patch, Paths, Proposers, Task, TaskFile
from dev_agent.cli.campaign_judging import Kept, judged_for_all, read_cache_size
from dev_agent.cli.campaign_request import Words, hands_maker, read_entries, read_job
from dev_agent.cli.campaign_watching import watching
from dev_agent.cli.model_options import (
    BaseUrl,
    Candidates,
    Effort,
    MaxCalls,
    MaxCost,
    MaxTime,
    MaxTokens,
    ModelName,
    Reproduce,
    spending_from,
)
from dev_agent.cli.options import AsJson, Cluster, DryRun, MustPass, PolicyChoice, Quiet, SandboxChoice
from dev_agent.cli.pages.campaign import campaign_page
from dev_agent.cli.run import Network, ProfileFile
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault
from dev_agent.programs.campaigning.campaign import Use, begin_campaign, resume_campaign
from dev_agent.programs.campaigning.record import campaigns_dir
from dev_agent.programs.choosing import Who

app = command_app()

_COMMAND = "dev_agent.command"

Repositories = Annotated[
    str | None,
    typer.Option(
        "--repos",
        metavar="FILE|-",
        envvar="DEV_AGENT_REPOS",
        help="The repositories, one a line: a path or a URL, then settings such as branch=NAME.",
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch",
        metavar="NAME",
        envvar="DEV_AGENT_BRANCH",
        help="Land on NAME in every repository; default: dev-agent/ and the task's first words.",
    ),
]
PublishFlag = Annotated[
    bool,
    typer.Option(
        "--publish", envvar="DEV_AGENT_PUBLISH", help="Push what landed, and open a draft pull request of it."
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        envvar="DEV_AGENT_JOBS",
        min=1,
        max=64,
        help="Work in N repositories at a time; default 2.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        envvar="DEV_AGENT_ONLY",
        help="Only repositories whose line's name has this in it, or fits it as a shell pattern; repeatable.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a campaign: the last one, or --campaign.")]
CampaignName = Annotated[
    str,
    typer.Option(
        "--campaign", metavar="ID", envvar="DEV_AGENT_CAMPAIGN", help="Which campaign --resume goes on with."
    ),
]
Retry = Annotated[
    str | None,
    typer.Option(
        "--retry",
        metavar="failed",
        help="With --resume: repositories that did not end well are worked on again.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--campaigns",
        metavar="DIR",
        envvar="DEV_AGENT_CAMPAIGNS",
        help="Where campaigns and their clones are kept; default: in your state folder.",
    ),
]
Login = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="LOGIN", envvar="DEV_AGENT_LOGIN", help="The account the token writes as, if need be."
    ),
]
CacheSize = Annotated[
    str,
    typer.Option(
        "--cache-size",
        metavar="SIZE",
        envvar="DEV_AGENT_CACHE_SIZE",
        help="What workers of --cluster local:N may keep from campaign to campaign: 500MB, 2GiB, 0.",
    ),
]
_JOBS = 2
_JUDGES = "judges"
"""What workers here learn, in the folder of campaigns: the next campaign finds it."""


class _WithCommand(TyperCommand):
    """Keeps the words behind `--` apart: they are a program's, and the task may be left out before them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, with what stands before `--`."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = tuple(args[at + 1 :]) if at < len(args) else None
        parsed: list[str] = super().parse_args(ctx, args[:at])
        return parsed


@app.command(cls=_WithCommand)
def campaign(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    task: Task = None,
    *,
    repos: Repositories = None,
    task_file: TaskFile = None,
    patch: Patch = None,
    proposer: Proposers = Who.AUTO,
    model: ModelName = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    candidates: Candidates = "1",
    reproduce: Reproduce = None,
    path: Paths = None,
    network: Network = False,
    profile: ProfileFile = None,
    branch: Branch = None,
    publish: PublishFlag = False,
    login: Login = None,
    jobs: Jobs = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    max_time: MaxTime = None,
    only: Only = None,
    resume: Resume = False,
    campaign: CampaignName = "last",
    retry: Retry = None,
    campaigns: Folder = None,
    dry_run: DryRun = False,
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    cluster: Cluster = None,
    cache_size: CacheSize = "2GB",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Let one task go through many repositories: campaign "TASK" --repos FILE, or campaign --repos FILE -- COMMAND.

    Each repository gets a run and a branch of its own, and with --publish a draft pull request. The limits (--max-cost
    and others) are for all of them together. Exit code 0: all landed, were verified, or had nothing to do; 1: some
    were refused; 3: some could not be judged; 130: stopped. --resume goes on; nothing is done twice.
    """
    session = Session(directory=Path(), as_json=as_json, quiet=quiet)
    session.listen()
    use = Use(
        jobs=jobs or _JOBS,
        limits=spending_from(max_calls, max_tokens, max_cost, max_time),
        publish=publish,
        only=tuple(only or ()),
        retry=_retries(retry, resume=resume),
    )
    folder = (campaigns or campaigns_dir(session.environ)).absolute()
    words = Words(
        task=task,
        task_file=task_file,
        command=context.meta[_COMMAND],
        patch=patch,
        proposer=proposer,
        model=model,
        base_url=base_url,
        effort=effort,
        candidates=candidates,
        reproduce=reproduce,
        paths=tuple(path or ()),
        network=network,
        profile=profile,
        branch=branch,
        policy=policy,
        must_pass=tuple(must_pass or ()),
        sandbox=sandbox,
        dry_run=dry_run,
        publish=publish,
    )
    # Entered first and left last: a second Ctrl-C does not come between the cluster and its end.
    kept = Kept(state=folder / _JUDGES, limit=read_cache_size(cache_size))
    with judged_for_all(cluster or None, kept, session, sandbox=sandbox) as judged_by:
        hands = hands_maker(session, publish=publish and not dry_run, login=login, judged_by=judged_by)
        if resume:
            words.require_none_for_resume(repos)
            with stoppable(session), watching(session) as watcher:
                report = resume_campaign(
                    folder, campaign, use, jobs=jobs, hands_for=hands, watcher=watcher, cancel=session.cancel
                )
        else:
            entries = read_entries(repos, session.environ)
            job, given = read_job(words, entries, use, source=repos or "", environ=session.environ)
            with stoppable(session), watching(session) as watcher:
                report = begin_campaign(
                    folder, job, entries, given, use, hands_for=hands, watcher=watcher, cancel=session.cancel
                )
    session.output.page(campaign_page(report))
    return report.exit_code


def _retries(word: str | None, *, resume: bool) -> bool:
    if word not in (None, "failed"):
        raise UsageFault(f"--retry {word[:40]!r} is not known", hint="write --retry failed")
    if word and not resume:
        raise UsageFault("--retry is for a campaign there is", hint="write --resume --retry failed")
    return word is not None
