"""Progress on a terminal: what has ended as plain lines, what runs now below with its clock.

Rich redraws the running part; it is imported here only, for a terminal only. Texts are rich `Text` objects,
so that nothing in a name is taken for markup.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.output.page import Line, Style
from dev_agent.cli.output.progress import spent_words, step_line
from dev_agent.cli.output.terminal import Terminal
from dev_agent.programs.cost import Cost
from dev_agent.runtime.engine import Reporter

_RICH_STYLES = {
    Style.PLAIN: "",
    Style.STRONG: "bold",
    Style.DIM: "dim",
    Style.GOOD: "green",
    Style.BAD: "red",
    Style.WARN: "yellow",
    Style.NAME: "cyan",
}
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class LiveReporter(Reporter):
    """Keeps what runs now; rich asks for it a few times a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], float] = {}
        self._attempts: dict[str, int] = {}
        self._ended: list[Line] = []
        self._spent = ""
        self._money = ""
        self._progress = ""

    def entered(self, state: str, attempt: int) -> None:
        """A state begins."""
        with self._lock:
            self._attempts[state] = attempt
            self._running[state, ""] = time.monotonic()

    def left(self, state: str, outcome: str, ms: int) -> None:
        """A state ended, and everything in it."""
        with self._lock:
            self._progress = ""
            for key in [key for key in self._running if key[0] == state]:
                del self._running[key]
            attempt, spent = self._attempts.get(state, 1), self._spent
            self._ended.append(step_line(state, outcome, ms, attempt=attempt, spent=spent))
            self._spent = ""

    def spent(self, state: str, cost: Mapping[str, int], total: Mapping[str, int]) -> None:  # noqa: ARG002
        """What the state cost that ends next; the sum stays in sight while something runs."""
        with self._lock:
            self._spent, self._money = spent_words(cost, total), Cost.of(total).words

    def retried(self, state: str, outcome: str, wait_ms: int) -> None:
        """An attempt ended, and there will be another."""
        with self._lock:
            attempt, spent = self._attempts.get(state, 1), self._spent
            self._ended.append(step_line(state, outcome, wait_ms, attempt=attempt, spent=spent))
            self._spent = ""

    def branch_started(self, state: str, action: str) -> None:
        """One action of a parallel state begins."""
        with self._lock:
            self._running[state, action] = time.monotonic()

    def branch_left(self, state: str, action: str, outcome: str, ms: int) -> None:
        """One action of a parallel state ended."""
        with self._lock:
            self._running.pop((state, action), None)
            self._ended.append(step_line(action, outcome, ms, inner=True))

    def progressed(self, text: str) -> None:
        """What runs now has come so far."""
        with self._lock:
            self._progress = escape_line(text)

    def noted(self, text: str) -> None:
        """Something worth knowing happened."""
        with self._lock:
            self._ended.append(Line(spans=(*step_line("", escape_line(text), 0).spans,)))

    def __rich__(self) -> RenderableType:
        """What has ended, then what runs now with its spinner and seconds."""
        now = time.monotonic()
        with self._lock:
            rows = [rich_text(one) for one in self._ended]
            rows += [self._row(key, started, now, self._progress) for key, started in self._running.items()]
            if self._money and self._running:
                rows.append(Text(f"{'':<14} {self._money} so far", "dim"))
        return Group(*rows)

    @staticmethod
    def _row(key: tuple[str, str], started: float, now: float, progress: str) -> Text:
        state, action = key
        turn = _SPINNER[int(now * 10) % len(_SPINNER)]
        name = escape_line(f"  {action}" if action else state)
        told = f"  {now - started:.1f} s{f'  {progress}' if progress else ''}"
        return Text.assemble((f"{name:<14} ", "dim"), (turn, "cyan"), (told, "dim"))


def rich_text(one: Line) -> Text:
    """A line as rich shows it, nothing in it taken for markup."""
    return Text.assemble(*((part.text, _RICH_STYLES[part.style]) for part in one.spans), no_wrap=True)


@contextmanager
def live_progress(stderr: Terminal) -> Iterator[Reporter]:
    """Show a LiveReporter on `stderr` while inside; its last picture stays on the screen."""
    console = Console(
        file=stderr.stream, force_terminal=True, no_color=not stderr.colour, highlight=False, markup=False
    )
    reporter = LiveReporter()
    with Live(reporter, console=console, refresh_per_second=10, redirect_stdout=False, redirect_stderr=False):
        yield reporter
    stderr.write_text("\n")


@contextmanager
def redrawn(stderr: Terminal, *, stays: bool) -> Iterator[Callable[[Iterable[Line]], None]]:
    """A function that shows lines on `stderr` in the place of those before; the last ones stay there, or make room."""
    console = Console(
        file=stderr.stream, force_terminal=True, no_color=not stderr.colour, highlight=False, markup=False
    )
    with Live(
        console=console,
        refresh_per_second=4,
        transient=not stays,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:
        yield lambda lines: live.update(Group(*map(rich_text, lines)))
    if stays:
        stderr.write_text("\n")
