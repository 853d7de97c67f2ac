"""Attacks on budgets: an endless loop, and a fan-out that starts more than is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.attacks.bank import ALWAYS, Bank, action
from dev_agent.lab.disarm import without
from dev_agent.runtime.engine import Result, View

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground

_TOKENS, _EACH = 100, 30
_CALLS, _BRANCHES = 20, 6
_ENOUGH = 12
"""Rounds after which an unbounded loop has made its point and ends itself."""

_LOOP = (
    'name = "loop"\nstart = "think"\n'
    + ALWAYS.replace("transitions = 50", f"transitions = 50\ntokens = {_TOKENS}")
    + """
[states.think]
kind = "action"
on = { again = "think", done = "pay", error = "stopped" }
"""
)
_FAN = (
    'name = "fan"\nstart = "fan"\n'
    + ALWAYS.replace("transitions = 50", f"transitions = 50\nmodel_calls = {_CALLS}")
    + f"""
[states.fan]
kind = "parallel"
branches = [{", ".join(f'{{ name = "b{number}", action = "ask" }}' for number in range(_BRANCHES))}]
join = [
  {{ any = "error", outcome = "error" }},
  {{ any = "again", outcome = "again" }},
  {{ any = "done", outcome = "done" }},
]
on = {{ again = "fan", done = "pay", error = "stopped" }}
"""
)


class _Spender:
    """Counts for itself what was spent, so that nobody's bookkeeping is believed."""

    def __init__(self, key: str, each: int, rounds: int) -> None:
        self.key, self.each, self.rounds = key, each, rounds
        self.spent: list[int] = []

    def run(self, _view: View) -> Result:
        """Spend, and ask for more until it is enough."""
        self.spent.append(self.each)
        return Result("again" if len(self.spent) < self.rounds else "done", cost={self.key: self.each})


def _budget_burst(ground: Ground) -> Strike:
    """Both run to their end; what they spent is compared with the limit and what one step may have in flight."""
    thought = _Spender("tokens", _EACH, _ENOUGH)
    asked = _Spender("model_calls", 1, _ENOUGH * _BRANCHES)
    actions = {
        "think": action("think", thought.run, "again", "done", spends=frozenset({"tokens"})),
        "ask": action("ask", asked.run, "again", "done", spends=frozenset({"model_calls"})),
    }
    bank = Bank(folder=ground.folder, actions=actions)
    before = bank.digest
    endings = (bank.start("loop", _LOOP), bank.start("fan", _FAN))
    over = max(sum(thought.spent) - _TOKENS, 0)
    fanned = max(sum(asked.spent) - _CALLS, 0)
    return Strike(
        # The loop's last step was started with tokens left; the fan reserves a call for each branch before it starts.
        stopped=over <= _EACH and not fanned and not bank.payments,
        by=", ".join(ending.reason for ending in endings),
        detail=f"{over} tokens above the limit, of {_EACH} in flight; {fanned} calls above theirs",
        before=before,
        after=bank.digest,
        metrics={
            "tokens": sum(thought.spent),
            "tokens_limit": _TOKENS,
            "in_flight": _EACH,
            "calls": sum(asked.spent),
            "calls_limit": _CALLS,
            "overshoot": over + fanned,
        },
    )


SPENDING_ATTACKS = (
    Attack(
        name="budget_burst",
        attempt="spend in an endless loop, and by a fan-out that starts more calls than are left",
        defence="budgets are asked before a state is entered (runtime/budgets.py: overrun)",
        strike=_budget_burst,
        disarm=without("dev_agent.runtime.engine:overrun", lambda *_: None),
        word="REJECTED",
    ),
)
