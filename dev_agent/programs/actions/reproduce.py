"""reproduce: look for a test in the change that fails without it and passes with it, where one is asked for.

The gates have passed by now, so the test stays in the commit whatever comes out; what comes out is evidence about the
task, not about harm. The verdict is about the staged tree and is recorded like any gate's. Writes nothing of the
user's; killed at any point, the state is entered again, and a verdict that was remembered is not computed twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.gates.judge import GateName
from dev_agent.gates.reproduction import SAID
from dev_agent.gates.verdict import GateResult
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.judged_by import judged_by
from dev_agent.programs.judging_base import subject_of
from dev_agent.programs.reproducing import Wish, wish_of
from dev_agent.programs.staged import required
from dev_agent.programs.texts import TEXTS, quoted_verdicts
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

_LACKING = "not_reproduced"


def _reproduce(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    subject = subject_of(context, staged)
    wish = wish_of(view.facts, context.policy.reproduce)
    data: dict[str, Any] = {
        "tree": subject.tree,
        "base_tree": subject.base_tree,
        "wish": wish.value,
        "tests": [],
        "reason": "",
    }
    if wish is Wish.OFF:
        return Result("not_asked", data)
    judgement = context.judges.ask(GateName.REPRODUCTION, subject, context.cancel)
    (verdict,) = judgement.verdicts
    context.cancel.check()
    recorded, texts = quoted_verdicts([verdict.to_json()])
    data |= {"verdict": verdict.reason, "verdicts": recorded, **judged_by(judgement)}
    data |= {TEXTS: True} if texts else {}
    if verdict.result is GateResult.PASSED:
        return Result("shown", {**data, "tests": list(recorded[0]["fixed"])}, texts)
    if wish is Wish.TRY:
        return Result("not_shown", data, texts)
    why = SAID.get(verdict.reason, verdict.reason)
    said = f"no test fails without the change and passes with it: {why}"
    return Result("lacking", {**data, "reason": _LACKING, "explanation": said}, texts)


REPRODUCE = Declared(
    name="reproduce",
    outcomes=frozenset({"shown", "not_shown", "not_asked", "lacking"}),
    facts={
        "tree": FactType.STR,
        "base_tree": FactType.STR,
        "wish": FactType.STR,
        "tests": FactType.LIST,
        "verdict": FactType.STR,
        "verdicts": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "texts": FactType.BOOL,
    },
    run=_reproduce,
)
