"""Attacks on the program: what may run at all, and whether a run can leave its table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.attacks.bank import ALWAYS, Bank, action, saying
from dev_agent.lab.disarm import all_of, without
from dev_agent.runtime.engine import Result, View
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.states import INPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev_agent.lab.ground import Ground

_PROMISE = """
[[invariants]]
name = "nothing is paid unscreened"
from = ["prepare"]
to = ["pay"]
through = [["screen", ["clear"]]]
"""
_SCREENS = (
    ALWAYS
    + """
[states.screen]
kind = "action"
on = { clear = "pay", hit = "stopped", error = "stopped" }
"""
)
_UNCHECKED = (
    'name = "transfer"\nstart = "prepare"\n'
    + _SCREENS
    + _PROMISE
    + """
[states.prepare]
kind = "action"
on = { ready = "pay", error = "stopped" }
"""
)
_CHECKED = _UNCHECKED.replace('ready = "pay"', 'ready = "screen"')
_WAITING = (
    'name = "transfer"\nstart = "prepare"\n'
    + _SCREENS
    + _PROMISE
    + """
[states.prepare]
kind = "wait"
on = { approved = "screen", rejected = "stopped" }
"""
)
_PAYS_FIRST = (
    _WAITING.replace('approved = "screen"', 'approved = "pay"')
    .replace('done = "paid"', 'done = "screen"')
    .replace('clear = "pay"', 'clear = "paid"')
)


def _invalid_program(ground: Ground) -> Strike:
    """A program whose one path to `pay` leaves the screening out, and which promises that none does."""
    actions = {"prepare": saying("prepare", "ready"), "screen": saying("screen", "hit", "clear")}
    bank = Bank(folder=ground.folder, actions=actions)
    before = bank.digest
    said = _refusal(lambda: bank.start("run", _UNCHECKED))
    return bank.strike(said, tried=1, before=before)


def _skip_step(ground: Ground) -> Strike:
    """Past the screening: by an outcome that is another state's, by one of no state, by a signal nobody waits for."""

    def screening(_view: View) -> Result:
        raise KeyboardInterrupt

    screen = action("screen", screening, "clear", "hit")
    said = []
    for outcome in ("clear", "paid"):
        liar = action("prepare", partial(_saying, outcome), "ready")
        bank = Bank(folder=ground.folder, actions={"prepare": liar, "screen": screen})
        said.append(_refusal(partial(bank.start, f"as-{outcome}", _CHECKED)))
    bank = Bank(folder=ground.folder, actions={"prepare": saying("prepare", "ready"), "screen": screen})
    before = bank.digest
    bank.start("signalled", _CHECKED)
    said.append(_refusal(lambda: bank.resume("signalled", _CHECKED, {"outcome": "clear", "data": {}})))
    return bank.strike(said[-1], tried=len(said), before=before)


def _saying(outcome: str, _view: View) -> Result:
    return Result(outcome)


def _forged_step(ground: Ground) -> Strike:
    """An action writes into the trace that the screening was passed, and dies: a resume believes the trace."""

    def forge(view: View) -> Result:
        done = {"attempt": 1, "data": {}, "ms": 0, "cost": {}}
        view.record("left", {"state": "prepare", "outcome": "ready", "next": "screen", **done})
        view.record("entered", {"state": "screen", "attempt": 1})
        view.record("left", {"state": "screen", "outcome": "clear", "next": "pay", **done})
        raise KeyboardInterrupt

    actions = {"prepare": action("prepare", forge, "ready"), "screen": saying("screen", "hit", "clear")}
    bank = Bank(folder=ground.folder, actions=actions)
    before = bank.digest
    said = _refusal(lambda: bank.start("forged", _CHECKED))
    bank.resume("forged", _CHECKED)
    return bank.strike(said, tried=1, before=before)


def _reorder_steps(ground: Ground) -> Strike:
    """Pay first, screen later: by an edited program, by signals out of order, by editing the program of a run."""
    bank = Bank(folder=ground.folder, actions={"screen": saying("screen", "hit", "clear")})
    before = bank.digest
    said = [_refusal(lambda: bank.start("edited", _PAYS_FIRST))]
    bank.start("waiting", _WAITING)
    said.append(_refusal(lambda: bank.resume("waiting", _WAITING, {"outcome": "clear", "data": {}})))
    unpromised = _PAYS_FIRST.replace(_PROMISE, "")
    said.append(_refusal(lambda: bank.resume("waiting", unpromised, {"outcome": "approved", "data": {}})))
    return bank.strike(said[-1], tried=len(said), before=before)


def _refusal(attempt: Callable[[], Any]) -> str:
    """What refused the attempt, in its own words; where a run ended that was not refused."""
    try:
        ending = attempt()
    except RuntimeFault as refused:
        return str(refused).splitlines()[-1].strip()
    told = ending.facts.get(ending.previous, {})
    return str(told.get("message", f"the run ended in {ending.state}"))


def _believed_signal(_position: object, signal: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    return str(signal["outcome"]), {}


def _begun_anyhow(self: Any, event: Any) -> None:
    self.facts[INPUT] = event.data["inputs"]
    self.state = self._program.start


PROGRAM_ATTACKS = (
    Attack(
        name="invalid_program",
        attempt="run a program in which a path to `pay` avoids the screening its invariant demands",
        defence="the proof before a run (runtime/validation.py: prove)",
        strike=_invalid_program,
        disarm=without("dev_agent.runtime.engine:prove", lambda *_: None),
    ),
    Attack(
        name="skip_step",
        attempt="pass over the screening: by outcomes that are not the state's, and by a signal nobody waits for",
        defence="signals answer waiting states only (runtime/intake.py: checked_signal)",
        strike=_skip_step,
        disarm=without("dev_agent.runtime.engine:checked_signal", _believed_signal),
        word="REJECTED",
    ),
    Attack(
        name="forged_step",
        attempt="let an action write the engine's own events, so that a resume finds the screening passed",
        defence="events that move a run are the engine's own (runtime/fold.py: RESERVED)",
        strike=_forged_step,
        disarm=without("dev_agent.runtime.fold:RESERVED", frozenset()),
        word="REJECTED",
    ),
    Attack(
        name="reorder_steps",
        attempt="pay before the screening: by an edited program, by early signals, by editing the program of a run",
        defence="a run goes on under its own program (runtime/fold.py: require_program)",
        strike=_reorder_steps,
        disarm=all_of(
            without("dev_agent.runtime.fold:require_program", lambda *_: None),
            without("dev_agent.runtime.fold:Position._begun", _begun_anyhow),
        ),
        word="REJECTED",
    ),
)
