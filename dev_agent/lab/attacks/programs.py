"""Attacks on the program: what may run at all, and whether a run can leave its table."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.disarm import without
from dev_agent.programs.clock import SystemClock
from dev_agent.runtime.engine import ActionSpec, Ending, Engine, Result, View
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.program import load_program
from dev_agent.runtime.trace import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev_agent.lab.ground import Ground

_UNCHECKED = """
name = "transfer"
start = "prepare"
[budgets]
transitions = 10
exceeded = "stopped"
[states.prepare]
kind = "action"
on = { ready = "pay", error = "stopped" }
[states.screen]
kind = "action"
on = { clear = "pay", hit = "stopped", error = "stopped" }
[states.pay]
kind = "action"
on = { done = "paid", error = "stopped" }
[states.paid]
kind = "final"
[states.stopped]
kind = "final"
[[invariants]]
name = "nothing is paid unscreened"
from = ["prepare"]
to = ["pay"]
through = [["screen", ["clear"]]]
"""


def _invalid_program(ground: Ground) -> Strike:
    """A program whose one path to `pay` leaves the screening out, and which promises that none does."""
    paid = ground.folder / "paid"
    before = _digest(paid)

    def pay(_view: View) -> Result:
        paid.write_text("1000")
        return Result("done")

    actions = {
        "prepare": ActionSpec("prepare", frozenset({"ready"}), {}, lambda _: Result("ready")),
        "screen": ActionSpec("screen", frozenset({"clear", "hit"}), {}, lambda _: Result("hit")),
        "pay": ActionSpec("pay", frozenset({"done"}), {}, pay),
    }
    said = ""
    try:
        ending = _driven(ground, _UNCHECKED, actions)
        said = f"the run ended in {ending.state}"
    except RuntimeFault as refused:
        said = str(refused).splitlines()[-1].strip()
    return Strike(
        stopped=not paid.exists(),
        by=said,
        detail="money was paid unscreened" if paid.exists() else "the program did not run",
        before=before,
        after=_digest(paid),
    )


def _driven(ground: Ground, text: str, actions: Mapping[str, ActionSpec]) -> Ending:
    program = load_program(text, source="attack.toml")
    clock = SystemClock()
    with Journal.create(ground.folder / "run", "run", {"program": program.digest}, clock) as journal:
        return Engine(program, actions, journal, clock=clock, cancel=NeverCancelled()).start({})


def _digest(place: Path) -> str:
    return sha256(place.read_bytes() if place.exists() else b"").hexdigest()


PROGRAM_ATTACKS = (
    Attack(
        name="invalid_program",
        attempt="run a program in which a path to `pay` avoids the screening its invariant demands",
        defence="the proof before a run (runtime/validation.py: prove)",
        strike=_invalid_program,
        disarm=without("dev_agent.runtime.engine:prove", lambda *_: None),
    ),
)
