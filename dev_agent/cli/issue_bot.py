"""What both halves of `dev-agent issue` have at hand, and how one of them starts `apply` or `run`."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

import typer

from dev_agent.cli.driving import reports_taken
from dev_agent.cli.failure import ExitCode, failure_of
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.forges.events import read_event
from dev_agent.forges.github import github_of
from dev_agent.forges.remote import SERVER, Remote
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.text import command
from dev_agent.forges.token import token_of
from dev_agent.forges.trigger import issue_number
from dev_agent.repository.discovery import discover
from dev_agent.repository.identity import user_identity
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.events import Event
    from dev_agent.forges.forge import Forge
    from dev_agent.programs.report import RunReport

_BOT_NAME = "github-actions[bot]"
_BOT_MAIL = "41898282+github-actions[bot]@users.noreply.github.com"
_OURS = frozenset({"-C", "--branch", "--dry-run", "--json", "--key", "--quiet", "-q", "--task"})
"""Options of `apply` and `run` that the bot answers itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bot:
    """One use of the bot: the event it runs for, or the issue that was named, and the ways to the host."""

    session: Session
    forge: Forge = field(repr=False)
    remote: Remote
    event: Event | None
    issue: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotBegun:
    """The dry run was refused before it became a run."""

    message: str
    hint: str
    exit_code: int


@contextmanager
def open_bot(
    session: Session, issue: str | None, repository: str | None, *, login: str | None, remote: str
) -> Iterator[Bot]:
    """Everything a bot needs. Raises UsageFault and EnvironmentFault, before anything is asked of the host."""
    session.listen()
    _hush(session)
    number = None if issue is None else issue_number(issue)
    event = read_event(session.environ) if number is None else None
    name = event.repository if event is not None else _named(repository)
    _give_identity(session)
    bound = Remote(
        repository=session.repository,
        token=token_of(session.environ),
        server=session.environ.get("GITHUB_SERVER_URL") or SERVER,
        name=remote,
    )
    with github_of(session.environ, name, cancel=session.cancel, login=login) as forge:
        yield Bot(session=session, forge=forge, remote=bound, event=event, issue=number)


def dry_run(
    session: Session, task: str, words: tuple[str, ...], *, branch: str | None, run: bool
) -> RunReport | NotBegun:
    """The report of `apply --dry-run` (or `run`) with the workflow's own words; whatever proposers there are.

    The task is what strangers wrote: it stands behind `--`, where nothing is an option. Raises UsageFault for words
    that the bot answers itself, KeyboardInterrupt, and bugs of ours.
    """
    from dev_agent.cli import apply as apply_command  # noqa: PLC0415 - heavy, and only one half needs it
    from dev_agent.cli import run as run_command  # noqa: PLC0415 - as above

    _require_free_words(words, run=run)
    common = ["-C", os.fspath(session.directory), "--dry-run"]
    common += ["--json"] * session.as_json + ["--quiet"] * session.quiet
    common += ["--branch", branch] if branch else []
    argv = [*common, "--task", task, "--", *words] if run else [*common, *words, "--", task]
    name, app = ("run", run_command.app) if run else ("apply", apply_command.app)
    taken: list[RunReport] = []
    parsed = typer.main.get_command(app)
    try:
        with reports_taken(taken.append), parsed.make_context(name, argv) as context:
            parsed.invoke(context)
    except typer.TyperException as error:
        raise UsageFault(
            f"`{name}` does not take these words: {error.format_message()}", hint=f"dev-agent {name} --help"
        ) from None
    except Exception as error:  # every kind has its words; a bug stays one
        failure = failure_of(error, argv=argv, environ=session.environ)
        if failure.exit_code is ExitCode.BUG:
            raise
        return NotBegun(message=failure.message, hint=failure.hint, exit_code=int(failure.exit_code))
    return taken[0]


def _require_free_words(words: tuple[str, ...], *, run: bool) -> None:
    if run and not words:
        raise UsageFault(
            "--run names no program", hint="write it last: dev-agent issue propose --run -- COMMAND …"
        )
    taken = [] if run else [word for word in words if word.partition("=")[0] in _OURS]
    if taken or (not run and "--" in words):
        raise UsageFault(
            f"the bot itself says {', '.join(taken) or '--'} to `apply`", hint="leave it out behind --"
        )


def _named(repository: str | None) -> RepositoryName:
    if not repository:
        raise UsageFault(
            "it is not known which repository of the host this is about",
            hint="name it: --repository OWNER/NAME",
        )
    return RepositoryName.parse(repository)


def _give_identity(session: Session) -> None:
    """A runner's git knows no user: commits are the Actions bot's there. A configured identity is kept."""
    try:
        user_identity(session.repository)
    except UsageFault:
        names = {f"GIT_{role}_NAME": _BOT_NAME for role in ("AUTHOR", "COMMITTER")}
        mails = {f"GIT_{role}_EMAIL": _BOT_MAIL for role in ("AUTHOR", "COMMITTER")}
        # `apply` is started inside this process, and reads the environment for itself.
        os.environ.update({**names, **mails})
        session.environ = {**session.environ, **names, **mails}
        session.__dict__["repository"] = discover(session.directory, session.environ)


def _hush(session: Session) -> None:
    """In a job, keep the runner from obeying what we print: names and outputs of others could be workflow commands.

    For the rest of this step; the token that would end it is known to nobody.
    """
    if session.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.write(command("stop-commands", secrets.token_hex(16)) + "\n")
        sys.stderr.flush()
