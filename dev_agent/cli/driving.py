"""From a request to the report on the screen: the same for every command that starts a run or goes on with one.

A command that is made of another one (`issue propose` of `apply`) takes the report instead, with `reports_taken`, and
shows its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol, TypeVar

from dev_agent.cli.pages.report import report_page
from dev_agent.cli.session import Session, stoppable

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_TAKES: ContextVar[Callable[[RunReport], None] | None] = ContextVar("takes", default=None)

Asked_contra = TypeVar("Asked_contra", contravariant=True)


class Drives(Protocol[Asked_contra]):
    """What the programs offer: a request, whatever its kind, is driven to a report."""

    def __call__(
        self,
        repository: Repository,
        asked: Asked_contra,
        /,
        *,
        environ: Mapping[str, str],
        reporter: Reporter,
        cancel: Cancel,
    ) -> RunReport:
        """Drive it."""
        ...


def drive(session: Session, program: Drives[Asked_contra], asked: Asked_contra) -> int:
    """Drive the request with progress shown and signals heard, show how it ended, return the exit code."""
    repository = session.repository
    with stoppable(session), session.output.watching() as reporter:
        report = program(repository, asked, environ=session.environ, reporter=reporter, cancel=session.cancel)
    takes = _TAKES.get()
    if takes is None:
        session.output.page(report_page(report))
    else:
        takes(report)
    return report.exit_code


@contextmanager
def reports_taken(take: Callable[[RunReport], None]) -> Iterator[None]:
    """Inside, the report of a command goes to `take` and not to the screen."""
    before = _TAKES.set(take)
    try:
        yield
    finally:
        _TAKES.reset(before)
