"""A person's answer to a suspended run; `approve` and `reject` differ in one word."""

from __future__ import annotations

import os
import pwd
from functools import partial
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.driving import drive
from dev_agent.cli.options import HERE, AsJson, Directory, Quiet, RunName
from dev_agent.cli.session import Session
from dev_agent.programs.resume import decide_approval

Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", envvar="DEV_AGENT_REASON", help="Why; it is recorded.")
]


def account() -> str:
    """Who answers: the account the kernel says this process runs as, not what the environment claims."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def answer_app(*, approved: bool, text: str) -> typer.Typer:
    """The command that gives one of the two answers, with `text` as its help."""
    app = command_app()

    @app.command(help=text)
    def answer(
        run: RunName,
        *,
        reason: Reason = "",
        directory: Directory = HERE,
        as_json: AsJson = False,
        quiet: Quiet = False,
    ) -> int:
        session = Session(directory=directory, as_json=as_json, quiet=quiet)
        session.listen()
        decide = partial(decide_approval, approved=approved, reason=reason, actor=account())
        return drive(session, decide, run)

    return app
