"""A person's answer to a suspended run; `approve` and `reject` differ in one word."""

from __future__ import annotations

from pathlib import Path

from dev_agent.cli.pages.report import report_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.programs.apply import decide_approval
from dev_agent.programs.runs import find_run


def answer(run: str, *, approved: bool, reason: str, directory: Path, as_json: bool, quiet: bool) -> int:
    """Give the answer, go on with the run, show how it ended."""
    session = Session(directory=directory, as_json=as_json, quiet=quiet)
    found = find_run(session.repository, run)
    with stoppable(session), session.output.watching() as reporter:
        report = decide_approval(
            session.repository,
            found.run,
            approved=approved,
            reason=reason,
            environ=session.environ,
            reporter=reporter,
            cancel=session.cancel,
        )
    session.output.page(report_page(report))
    return report.exit_code
