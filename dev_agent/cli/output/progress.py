"""Progress as plain lines, for pipes, logs and dumb terminals: one line when a state or a gate has ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from dev_agent.cli.output.page import Line, Span, Style, line, seconds, span
from dev_agent.cli.output.terminal import Terminal
from dev_agent.programs.cost import Cost
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


def step_line(
    name: str, outcome: str, ms: int, *, attempt: int = 1, inner: bool = False, spent: str = ""
) -> Line:
    """`name  outcome  time  cost`; the time left out where nothing was waited for, the cost where there is none."""
    shown = f"{name} (attempt {attempt})" if attempt > 1 else name
    label = span(f"{'  ' if inner else ''}{shown:<{_NAME_WIDTH - (2 if inner else 0)}} ", Style.DIM)
    time = (Span("  "), Span(seconds(ms), Style.DIM)) if ms >= 100 else ()
    cost = (Span("  "), span(spent, Style.DIM)) if spent else ()
    return line(label, span(outcome, outcome_style(outcome)), *time, *cost)


def spent_words(cost: Mapping[str, int], total: Mapping[str, int]) -> str:
    """What an attempt cost, and what the run has cost with it if that is more."""
    here, all_ = Cost.of(cost), Cost.of(total)
    return here.words if here == all_ or not here.calls else f"{here.words} (so far {all_.money})"


class PlainReporter(Reporter):
    """Writes a line when something ended."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr
        self._lock = threading.Lock()
        self._attempts: dict[str, int] = {}
        self._spent = ""

    def entered(self, state: str, attempt: int) -> None:
        """A state begins: remembered for the line at its end."""
        self._attempts[state] = attempt

    def left(self, state: str, outcome: str, ms: int) -> None:
        """A state ended."""
        self._write(step_line(state, outcome, ms, attempt=self._attempts.get(state, 1), spent=self._spent))
        self._spent = ""

    def spent(self, state: str, cost: Mapping[str, int], total: Mapping[str, int]) -> None:  # noqa: ARG002
        """What the state cost that ends next: remembered for its line."""
        self._spent = spent_words(cost, total)

    def retried(self, state: str, outcome: str, wait_ms: int) -> None:
        """An attempt ended, and there will be another."""
        self._write(
            step_line(state, outcome, wait_ms, attempt=self._attempts.get(state, 1), spent=self._spent)
        )
        self._spent = ""

    def branch_left(self, state: str, action: str, outcome: str, ms: int) -> None:  # noqa: ARG002
        """One action of a parallel state ended."""
        self._write(step_line(action, outcome, ms, inner=True))

    def noted(self, text: str) -> None:
        """Something worth knowing happened."""
        self._write(line(span(f"  {text}", Style.DIM)))

    def _write(self, one: Line) -> None:
        with self._lock:
            self._stderr.write_line(one)
