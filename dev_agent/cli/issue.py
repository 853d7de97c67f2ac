"""`dev-agent issue`: work on an issue of a code host, in two jobs that trust each other with nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.issue_bot import Bot, NotBegun, dry_run, open_bot
from dev_agent.cli.options import HERE, AsJson, Directory, MustPass, PolicyChoice, Quiet, SandboxChoice
from dev_agent.cli.pages.issue import bot_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.forges.artifact import require_free
from dev_agent.forges.http import SystemTime
from dev_agent.forges.issue_report import BotOutcome, BotReport
from dev_agent.forges.outputs import write_outputs
from dev_agent.forges.propose import branch_to_start_from, hand_over, refused, task_of
from dev_agent.forges.publication import Publication
from dev_agent.forges.publish import publish as publish_change
from dev_agent.forges.request import Asked, Refused, read_request, weigh
from dev_agent.forges.trigger import LABEL, NotForUs, Trigger

app = command_app()

Artifact = Annotated[
    Path,
    typer.Option(
        "--artifact",
        metavar="DIR",
        envvar="DEV_AGENT_ARTIFACT",
        help="The folder to make for the job that publishes; it must not be there yet.",
    ),
]
Given = Annotated[Path, typer.Argument(metavar="ARTIFACT", help="The folder that `issue propose` made.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[-- OPTIONS]", help="Options of `apply` for the proposal; with --run, the program to run."
    ),
]
Run = Annotated[
    bool,
    typer.Option(
        "--run", help="The words after -- are a program that makes the change, as of `dev-agent run`."
    ),
]
Number = Annotated[
    str | None,
    typer.Option(
        "--issue", metavar="N", help="Work on this issue, for whom the token is of; no event is read."
    ),
]
RepositoryName = Annotated[
    str | None,
    typer.Option(
        "--repository",
        metavar="OWNER/NAME",
        envvar="GITHUB_REPOSITORY",
        help="The repository on the host; default: the event's.",
    ),
]
LabelName = Annotated[
    str,
    typer.Option(
        "--label", metavar="NAME", envvar="DEV_AGENT_LABEL", help="The label that asks the bot to work."
    ),
]
Bots = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-bot",
        metavar="LOGIN",
        envvar="DEV_AGENT_ALLOW_BOT",
        help="A bot that may ask too, such as renovate[bot]; repeatable.",
    ),
]
Login = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="LOGIN",
        envvar="DEV_AGENT_LOGIN",
        help="The account the token writes as, where the host does not say; default there: github-actions[bot].",
    ),
]
RemoteName = Annotated[
    str,
    typer.Option("--remote", metavar="NAME", envvar="DEV_AGENT_REMOTE", help="The git remote of the host."),
]
_DEFAULT_ARTIFACT = Path("dev-agent-artifact")


@app.callback()
def _group() -> None:
    """Work on an issue of GitHub: propose a change in one job, publish it as a draft pull request in another."""


@app.command()
def propose(  # noqa: PLR0913 - one parameter an option
    words: Words = None,
    *,
    artifact: Artifact = _DEFAULT_ARTIFACT,
    run: Run = False,
    issue: Number = None,
    repository: RepositoryName = None,
    label: LabelName = LABEL,
    allow_bot: Bots = None,
    login: Login = None,
    remote: RemoteName = "origin",
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make and judge a change for an issue, and leave it in a folder. Needs a token that reads; writes nothing outside.

    Asked is by the event of the job (a label, or a comment that begins with /dev-agent), or with --issue. Words after
    -- go to `apply`: -- --patch FILE, for example; or, with --run, are the program that makes the change.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    with open_bot(session, issue, repository, login=login, remote=remote) as bot:
        trigger = _trigger(bot, label)
        if isinstance(trigger, NotForUs):
            return _end(bot, _ignored(trigger))
        require_free(artifact)
        found = weigh(bot.forge, trigger, bots=frozenset(allow_bot or ()))
        if isinstance(found, Refused):
            return _end(bot, refused(found))
        return _end(bot, _proposed(bot, found, artifact, tuple(words or ()), run=run))


@app.command()
def publish(  # noqa: PLR0913 - one parameter an option
    artifact: Given,
    *,
    issue: Number = None,
    repository: RepositoryName = None,
    label: LabelName = LABEL,
    allow_bot: Bots = None,
    login: Login = None,
    remote: RemoteName = "origin",
    policy: PolicyChoice = None,
    must_pass: MustPass = None,
    sandbox: SandboxChoice = "auto",
    directory: Directory = HERE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Judge a proposed change again and open or update a draft pull request with it; or say on the issue why not.

    Needs a token that writes contents, pull requests and issues, and no model. The artifact's own verdict is not
    believed. Exit code 0: the pull request is at the verified commit, or nothing was asked; 1: refused, and told.
    """
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    with open_bot(session, issue, repository, login=login, remote=remote) as bot:
        trigger = _trigger(bot, label)
        if isinstance(trigger, NotForUs):
            return _end(bot, _ignored(trigger))
        with stoppable(session), session.output.watching() as reporter:
            report = publish_change(
                Publication(
                    forge=bot.forge,
                    remote=bot.remote,
                    artifact=artifact,
                    trigger=trigger,
                    bots=frozenset(allow_bot or ()),
                    environ=session.environ,
                    reporter=reporter,
                    cancel=session.cancel,
                    clock=SystemTime(),
                    policy=policy,
                    must_pass=tuple(must_pass or ()),
                    sandbox=sandbox,
                )
            )
        return _end(bot, report)


def _trigger(bot: Bot, label: str) -> Trigger | NotForUs:
    return read_request(bot.forge, bot.event, bot.issue, label=label)


def _proposed(bot: Bot, asked: Asked, artifact: Path, words: tuple[str, ...], *, run: bool) -> BotReport:
    """The dry run, and the artifact for however it ended: the other job tells the issue."""
    repository = bot.session.repository
    branch = branch_to_start_from(repository, bot.remote, asked)
    made = dry_run(bot.session, task_of(asked.trigger), words, branch=branch, run=run)
    name = str(bot.forge.repository)
    if isinstance(made, NotBegun):
        told = hand_over(artifact, repository, name, asked, None, failure=made.message, advice=made.hint)
        return replace(told, code=made.exit_code)
    return hand_over(artifact, repository, name, asked, made)


def _ignored(found: NotForUs) -> BotReport:
    return BotReport(outcome=BotOutcome.IGNORED, sentence=found.why)


def _end(bot: Bot, report: BotReport) -> int:
    """Show it, tell the next step of the job, return the exit code."""
    write_outputs(
        bot.session.environ,
        {
            "outcome": report.outcome.value,
            "artifact": report.artifact,
            "branch": report.branch,
            "commit": report.commit,
            "pull-request": "" if report.pull_request is None else str(report.pull_request),
            "receipt": (report.run.receipt or "") if report.run else "",
        },
    )
    bot.session.output.page(bot_page(report))
    return report.exit_code
