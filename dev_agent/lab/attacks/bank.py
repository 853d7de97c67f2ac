"""What attacks on programs are after: a payment that nobody screened or approved, and how often it was made.

The money is a file in the scratch folder; every payment is one line in it. So whether an attack succeeded is read
off the disk, and not asked of the engine it was made on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Strike
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.engine import Action, ActionSpec, Ending, Engine, FactType, Result, View
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.program import load_program
from dev_agent.runtime.trace import Journal
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.runtime.canonical import Json

ALWAYS = """
[budgets]
transitions = 50
exceeded = "stopped"
[states.paid]
kind = "final"
[states.stopped]
kind = "final"
[states.pay]
kind = "action"
on = { done = "paid", error = "stopped" }
"""
"""What every program here has: the payment and the two ends."""


@dataclass(frozen=True, kw_only=True)
class Bank:
    """A folder in which payments are made, and runs that may make some. `actions` are those besides `pay`."""

    folder: Path
    actions: Mapping[str, ActionSpec] = field(default_factory=dict)

    @property
    def book(self) -> Path:
        """Where each payment is a line."""
        return self.folder / "paid"

    @property
    def payments(self) -> int:
        """How many were made."""
        return len(self.book.read_bytes().splitlines()) if self.book.exists() else 0

    @property
    def digest(self) -> str:
        """Of the book."""
        return sha256(self.book.read_bytes() if self.book.exists() else b"").hexdigest()

    def pay(self, view: View) -> Result:
        """Make one payment."""
        with self.book.open("ab") as book:
            book.write(f"1000 by {view.run}\n".encode())
        return Result("done")

    def start(self, run: str, program: str, inputs: Mapping[str, Json] | None = None) -> Ending:
        """Begin a run and drive it to where it ends or waits. Raises what the runtime refuses it with."""
        loaded = load_program(program, source=f"{run}.toml")
        binding = {"program": loaded.digest}
        with Journal.create(self.folder / run, run, binding, SystemClock()) as journal:
            return self._engine(program, journal).start(inputs or {})

    def resume(self, run: str, program: str, signal: Mapping[str, Json] | None = None) -> Ending:
        """Take a run up again, as another process would."""
        with Journal.open(self.folder / run, SystemClock()) as journal:
            return self._engine(program, journal).resume(signal)

    def answer(self, journal: Journal, program: str, outcome: str) -> Ending:
        """Answer a run whose journal is open already."""
        return self._engine(program, journal).resume({"outcome": outcome, "data": {}})

    def _engine(self, program: str, journal: Journal) -> Engine:
        pay = action("pay", self.pay, "done")
        return Engine(
            load_program(program, source="attack.toml"),
            {"pay": pay, **self.actions},
            journal,
            clock=SystemClock(),
            cancel=NeverCancelled(),
        )

    def strike(
        self,
        said: str,
        *,
        tried: int,
        before: str,
        allowed: int = 0,
        metrics: Mapping[str, int] | None = None,
    ) -> Strike:
        """What `tried` attempts came to: they are stopped if no more than `allowed` payments were made."""
        made = self.payments
        extra = made - allowed
        word = "no payment" if not made else f"{made} payment(s)"
        return Strike(
            stopped=extra <= 0,
            by=said,
            detail=f"{word} made, {allowed} allowed",
            before=before,
            after=self.digest,
            metrics={"tried": tried, "paid": made, **(metrics or {})},
        )


def action(
    name: str,
    run: Action | Callable[[View], Result],
    *outcomes: str,
    facts: Mapping[str, FactType] | None = None,
    spends: frozenset[str] = frozenset(),
) -> ActionSpec:
    """An action that may end in `outcomes`."""
    return ActionSpec(name, frozenset(outcomes), facts or {}, run, spends)


def saying(name: str, outcome: str, *declared: str) -> ActionSpec:
    """An action that does nothing but return `outcome`, and declares it with the others."""
    return action(name, lambda _view: Result(outcome), outcome, *declared)
