"""How a campaign is watched: a table drawn again on a terminal, a line a repository in a pipe, objects with --json."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import count
from dev_agent.cli.output.terminal import Terminal, standard_terminals
from dev_agent.cli.pages.campaign import row_line, table_lines
from dev_agent.programs.campaigning.driver import Watcher
from dev_agent.programs.campaigning.events import Ended, Restarted, Told, to_json
from dev_agent.programs.campaigning.model import Phase

if TYPE_CHECKING:
    from dev_agent.cli.session import Session
    from dev_agent.programs.campaigning.events import Event
    from dev_agent.programs.campaigning.model import CampaignState


class PlainWatcher(Watcher):
    """Writes a line when something came of a repository."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr

    def happened(self, event: Event, state: CampaignState) -> None:
        """An event that is about one repository."""
        if isinstance(event, Ended | Told):
            self._stderr.write_line(row_line(state.rows[event.row]))
        elif isinstance(event, Restarted):
            left = sum(row.phase is not Phase.DECIDED for row in state.rows)
            self._stderr.write_text(f"taken up again, {left} of {len(state.rows)} repositories to go\n")

    def stopping(self, state: CampaignState) -> None:
        """What is waited for."""
        self._stderr.write_text(
            f"stopping: {count(len(state.busy), 'repository', 'repositories')} at work end first\n"
        )


class JsonWatcher(Watcher):
    """Writes every event as an object, and what children do now."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr
        self._lock = threading.Lock()

    def happened(self, event: Event, state: CampaignState) -> None:  # noqa: ARG002 - the object says it all
        """The event as its trace has it."""
        self._say(to_json(event))

    def stopping(self, state: CampaignState) -> None:
        """What is waited for."""
        self._say({"event": "stopping", "rows": [row.number for row in state.busy]})

    def progressed(self, row: int, text: str) -> None:
        """What a child does now."""
        self._say({"event": "progress", "row": row, "doing": text})

    def _say(self, data: dict[str, object]) -> None:
        with self._lock:
            self._stderr.write_text(json.dumps(data) + "\n")


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
    """A table that is drawn again whenever something happens; it gives way to the answer at the end."""
    from dev_agent.cli.output.live import redrawn  # noqa: PLC0415 - rich, for a terminal only

    with redrawn(stderr, stays=False) as draw:

        class LiveWatcher(Watcher):
            """Draws the table; children's threads tell it what they do."""

            def __init__(self) -> None:
                self._doing: dict[int, str] = {}
                self._state: CampaignState | None = None

            def happened(self, event: Event, state: CampaignState) -> None:
                """The state after the event."""
                if isinstance(event, Ended | Told):
                    self._doing.pop(event.row, None)
                self._state = state
                self._draw()

            def stopping(self, state: CampaignState) -> None:
                """What is waited for."""
                self._doing = dict.fromkeys((row.number for row in state.busy), "stopping")
                self._draw()

            def progressed(self, row: int, text: str) -> None:
                """What a child does now."""
                self._doing[row] = text
                self._draw()

            def _draw(self) -> None:
                if self._state is not None:
                    draw(table_lines(self._state, dict(self._doing)))

        yield LiveWatcher()
