"""What a command has at hand: the environment, the repository, the output, and how to be stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property
from pathlib import Path
from types import FrameType

from dev_agent.cancel import Cancel
from dev_agent.cli.output.output import Output, choose_output
from dev_agent.errors import RepositoryFault
from dev_agent.repository.discovery import Repository, discover
from dev_agent.values import dataclass


@dataclass(kw_only=True)
class Session:
    """One use of one command."""

    directory: Path
    as_json: bool = False
    quiet: bool = False
    environ: Mapping[str, str] = field(
        default_factory=lambda: dict(os.environ), repr=False
    )  # may hold secrets
    cancel: Cancel = field(default_factory=Cancel)

    @cached_property
    def output(self) -> Output:
        """Where the answer goes."""
        return choose_output(self.environ, as_json=self.as_json, quiet=self.quiet)

    @cached_property
    def repository(self) -> Repository:
        """The repository around the directory. Raises RepositoryFault or EnvironmentFault."""
        return discover(self.directory, self.environ)

    def listen(self) -> None:
        """From here on a signal raises KeyboardInterrupt: before anything was begun it ends the command at once."""
        self.cancel.install_signal_handlers()

    @property
    def repository_or_none(self) -> Repository | None:
        """The repository if the directory is in one: some questions can be answered without."""
        try:
            return self.repository
        except RepositoryFault:
            return None


class StoppedInside(KeyboardInterrupt):
    """An interruption that came after a command had begun to act."""


@contextmanager
def stoppable(session: Session) -> Iterator[None]:
    """Signals become a calm end while inside; one that escapes says that something may have begun.

    Afterwards they do nothing: what was decided is told to its end, once and with its own exit code.
    """
    session.listen()
    try:
        yield
    except KeyboardInterrupt as stop:
        raise StoppedInside from stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _too_late)


def _too_late(_number: int, _frame: FrameType | None) -> None:
    """Takes a signal and does nothing. Not SIG_IGN: a child that is started now would inherit that."""
