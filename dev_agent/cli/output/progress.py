"""Progress as plain lines, for pipes, logs and dumb terminals: one line when a state or a gate has ended."""

from __future__ import annotations

import threading

from dev_agent.cli.output.page import Line, Span, Style, line, seconds, span
from dev_agent.cli.output.terminal import Terminal
from dev_agent.runtime.engine import Reporter

_GOOD = frozenset(
    {"ready", "proposed", "staged", "allowed", "passed", "approved", "landed", "rebased", "planned"}
)
_BAD = frozenset(
    {
        "refused",
        "denied",
        "declined",
        "failed",
        "error",
        "rejected",
        "conflict",
        "unresolved",
        "exhausted",
        "blocked",
    }
)
_NAME_WIDTH = 14


def outcome_style(outcome: str) -> Style:
    """How an outcome's name is coloured; one this file does not know is plain."""
    if outcome in _GOOD:
        return Style.GOOD
    return Style.BAD if outcome in _BAD else Style.PLAIN


def step_line(name: str, outcome: str, ms: int, *, attempt: int = 1, inner: bool = False) -> Line:
    """`name  outcome  time`, the time left out where nothing was waited for."""
    shown = f"{name} (attempt {attempt})" if attempt > 1 else name
    label = span(f"{'  ' if inner else ''}{shown:<{_NAME_WIDTH - (2 if inner else 0)}} ", Style.DIM)
    time = (Span("  "), Span(seconds(ms), Style.DIM)) if ms >= 100 else ()
    return line(label, span(outcome, outcome_style(outcome)), *time)


class PlainReporter(Reporter):
    """Writes a line when something ended."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr
        self._lock = threading.Lock()
        self._attempts: dict[str, int] = {}

    def entered(self, state: str, attempt: int) -> None:
        """A state begins: remembered for the line at its end."""
        self._attempts[state] = attempt

    def left(self, state: str, outcome: str, ms: int) -> None:
        """A state ended."""
        self._write(step_line(state, outcome, ms, attempt=self._attempts.get(state, 1)))

    def branch_left(self, state: str, action: str, outcome: str, ms: int) -> None:  # noqa: ARG002
        """One action of a parallel state ended."""
        self._write(step_line(action, outcome, ms, inner=True))

    def noted(self, text: str) -> None:
        """Something worth knowing happened."""
        self._write(line(span(f"  {text}", Style.DIM)))

    def _write(self, one: Line) -> None:
        with self._lock:
            self._stderr.write_line(one)
