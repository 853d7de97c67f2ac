"""plan: ask the model what it means to change and in which files. The answer is a value with bounds, or is none.

Sees the projection its state shows and the means to ask, nothing else. Writes nothing; killed at any point, the state
is entered again, and an answer that had arrived is not asked for twice (`proposers.remembering`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.modeled import Modeled
from dev_agent.programs.solving.answers import Faulty, reason_of, request_from
from dev_agent.programs.solving.forms import DECLINED, MORE, plan_form
from dev_agent.programs.solving.plan import PlanRefused, plan_from
from dev_agent.programs.solving.troubles import accepted, told, without_answer
from dev_agent.programs.solving.wording import PROMPTS
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.solving.asking import Asking
    from dev_agent.runtime.actions import Result
    from dev_agent.runtime.projection import ModelView

QUESTION = "brief.question"


def _plan(asking: Asking, view: ModelView) -> Result:
    asked = asking.ask(view, purpose="plan", form=plan_form(str(view.facts[QUESTION])))
    content = asked.reply.content
    if content is None:
        return without_answer(asked)
    if content.get("answer") == DECLINED:
        why = reason_of(content) or "it gives no reason"
        return told(asked, "declined", reason="model_declined", explanation=f"the model declined: {why}")
    if content.get("answer") == MORE:
        request = request_from(content, "files_to_read")
        if isinstance(request, Faulty):
            return told(asked, "invalid", reason="unusable_answer", explanation=request.sentence)
        return accepted(asked, "needs_context", {}, {"request": _bytes(request.to_text())})
    plan = plan_from(content)
    if isinstance(plan, PlanRefused):
        return told(asked, "invalid", reason="unusable_plan", explanation=plan.sentence)
    data = {"kind": plan.kind.value, "risk": plan.risk.value, "files": len(plan.scope)}
    return accepted(asked, "planned", data, {"plan": _bytes(plan.to_text())})


def _bytes(text: str) -> bytes:
    """UTF-8; what has no UTF-8 form stays the escape that JSON reads back."""
    return text.encode("utf-8", "backslashreplace")


PLAN = Modeled(
    name="plan",
    outcomes=frozenset({"planned", "needs_context", "invalid", "declined", "unavailable", "busy"}),
    facts={
        "kind": FactType.STR,
        "risk": FactType.STR,
        "files": FactType.INT,
        "plan": FactType.PAYLOAD,
        "request": FactType.PAYLOAD,
        "calls": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
        "texts": FactType.BOOL,
    },
    run=_plan,
    prompts={name: PROMPTS[name] for name in ("stable", "plan")},
)
