"""A person's answer to a suspended run; `approve` and `reject` differ in one word."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from dev_agent.cli.pages.report import report_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.resume import decide_approval


def account() -> str:
    """Who answers: the account the kernel says this process runs as, not what the environment claims."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def answer(run: str, *, approved: bool, reason: str, directory: Path, as_json: bool, quiet: bool) -> int:
    """Give the answer, go on with the run, show how it ended."""
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    with stoppable(session), session.output.watching() as reporter:
        report = decide_approval(
            session.repository,
            run,
            approved=approved,
            reason=reason,
            actor=account(),
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
        )
    session.output.page(report_page(report))
    return report.exit_code
