"""Builders for the runtime's tests: a clock, programs as text, actions that count, runs in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from dev_agent.runtime.actions import ActionSpec, Result, View
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.ending import Ending
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.host import Cancel, NeverCancelled, Reporter
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.states import FactType
from dev_agent.runtime.trace import Event, Journal, read_trace


@dataclass
class FixedClock:
    """A clock a test moves by hand."""

    ms: int = 0

    def now(self) -> str:
        return "2026-11-22T10:00:00.000Z"

    def monotonic_ms(self) -> int:
        return self.ms


@dataclass
class CountedSalts:
    """Salts that repeat from run to run, so that two traces can be compared byte for byte."""

    made: int = 0

    def __call__(self) -> bytes:
        self.made += 1
        return sha256(str(self.made).encode()).digest()


@dataclass
class Seen(Reporter):
    """Remembers every call."""

    calls: list[tuple[object, ...]] = field(default_factory=list)

    def entered(self, state: str, attempt: int) -> None:
        self.calls.append(("entered", state, attempt))

    def left(self, state: str, outcome: str, ms: int) -> None:
        self.calls.append(("left", state, outcome, ms))

    def retried(self, state: str, outcome: str, wait_ms: int) -> None:
        self.calls.append(("retried", state, outcome, wait_ms))

    def branch_started(self, state: str, branch: str) -> None:
        self.calls.append(("branch_started", state, branch))

    def branch_left(self, state: str, branch: str, outcome: str, ms: int) -> None:
        self.calls.append(("branch_left", state, branch, outcome, ms))

    def noted(self, text: str) -> None:
        self.calls.append(("noted", text))


def action(
    name: str,
    run: Callable[[View], Result],
    *outcomes: str,
    facts: Mapping[str, FactType] | None = None,
    spends: frozenset[str] = frozenset(),
) -> dict[str, ActionSpec]:
    """Return one action as a mapping, to be merged with `|`."""
    return {name: ActionSpec(name, frozenset(outcomes), facts or {}, run, spends)}


def always(outcome: str, data: Mapping[str, object] | None = None, **cost: int) -> Callable[[View], Result]:
    """Return an action body that always gives the same result."""
    return lambda _view: Result(outcome, data or {}, cost=cost)


def in_turn(*outcomes: str) -> Callable[[View], Result]:
    """Return an action body that gives these outcomes one after the other, the last one for ever."""
    left = list(outcomes)
    return lambda _view: Result(left.pop(0) if len(left) > 1 else left[0])


def program(text: str) -> Program:
    """Load a program from a test's text."""
    return load_program(text, source="test.toml")


SINGLE = """
name = "single"
start = "work"
[budgets]
transitions = 20
exceeded = "rejected"
[states.work]
kind = "action"
on = { done = "finished", again = "work", error = "rejected" }
[states.finished]
kind = "final"
[states.rejected]
kind = "final"
"""
"""One action that may go round, or end."""


def single(extra: str = "", budgets: str = "transitions = 20") -> Program:
    """Return SINGLE with more keys for its state `work`, or other budgets."""
    text = SINGLE.replace("transitions = 20", budgets)
    return program(text.replace('kind = "action"\n', f'kind = "action"\n{extra}\n', 1))


@dataclass
class Run:
    """A run folder, and engines over it."""

    folder: Path
    program: Program
    actions: Mapping[str, ActionSpec]
    clock: FixedClock = field(default_factory=FixedClock)
    cancel: Cancel = field(default_factory=NeverCancelled)
    seen: Seen = field(default_factory=Seen)
    slept: list[float] = field(default_factory=list)

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Create the journal, or open it if it exists."""
        if (self.folder / "trace.jsonl").exists():
            made = Journal.open(self.folder, self.clock, salt=CountedSalts(1000))
        else:
            binding = {"program": self.program.digest}
            made = Journal.create(self.folder, "run-1", binding, self.clock, salt=CountedSalts())
        with made:
            yield made

    def engine(self, journal: Journal) -> Engine:
        """Return an engine over an open journal."""
        return Engine(
            self.program,
            self.actions,
            journal,
            clock=self.clock,
            cancel=self.cancel,
            reporter=self.seen,
            sleep=self.slept.append,
        )

    def start(self, inputs: Mapping[str, Json] | None = None) -> Ending:
        """Start the run."""
        with self.journal() as journal:
            return self.engine(journal).start(inputs or {})

    def resume(self, signal: Mapping[str, Json] | None = None) -> Ending:
        """Resume the run in a fresh engine over a freshly opened journal."""
        with self.journal() as journal:
            return self.engine(journal).resume(signal)

    def types(self) -> list[str]:
        """Return the types of all events."""
        return [event.type for event in self.events()]

    def events(self) -> list[Event]:
        """Return all events."""
        return list(read_trace(self.folder))
