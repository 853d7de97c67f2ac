"""How a queue is watched: a table drawn again on a terminal, a line an event in a pipe, objects with --json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev_agent.cli.output.terminal import Terminal, standard_terminals
from dev_agent.cli.pages.queue import event_lines, table_lines
from dev_agent.programs.queueing.driver import Watcher
from dev_agent.programs.queueing.events import to_json

if TYPE_CHECKING:
    from dev_agent.cli.session import Session
    from dev_agent.programs.queueing.events import Event
    from dev_agent.programs.queueing.model import QueueState


class PlainWatcher(Watcher):
    """Writes what is worth a line."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr
        self._told = 0

    def happened(self, event: Event, state: QueueState) -> None:
        """An event, and the heads that got their fate by it."""
        for one in event_lines(event, state.decided[self._told :]):
            self._stderr.write_line(one)
        self._told = len(state.decided)


class JsonWatcher(Watcher):
    """Writes every event as an object."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr

    def happened(self, event: Event, state: QueueState) -> None:  # noqa: ARG002 - the object says it all
        """The event as its trace has it."""
        self._stderr.write_text(json.dumps(to_json(event)) + "\n")


@contextmanager
def watching(session: Session) -> Iterator[Watcher]:
    """The watcher that goes with the terminal and the user's words."""
    _, stderr = standard_terminals(session.environ)
    if session.quiet:
        yield Watcher()
    elif session.as_json:
        yield JsonWatcher(stderr)
    elif stderr.is_terminal and not stderr.dumb:
        with _table(stderr) as watcher:
            yield watcher
    else:
        yield PlainWatcher(stderr)


@contextmanager
def _table(stderr: Terminal) -> Iterator[Watcher]:
    """A table that is drawn again after every event; its last picture stays."""
    from dev_agent.cli.output.live import redrawn  # noqa: PLC0415 - rich, for a terminal only

    with redrawn(stderr, stays=True) as draw:

        class LiveWatcher(Watcher):
            """Draws the table."""

            def happened(self, event: Event, state: QueueState) -> None:  # noqa: ARG002 - the state says it all
                """The state after the event."""
                draw(table_lines(state))

        yield LiveWatcher()
