"""write: ask the model for the edits that carry out its plan. What it gives has to parse; nothing is resolved here.

It is asked as often as `widen` says, at the same time; which of its answers is staged is for `tryout` to choose.

Runs in the state `patch`, so that whatever proposes, the trace has its proposal in one place. Sees the projection its
state shows and the means to ask, nothing else. Writes nothing; killed at any point, the state is entered again, and
an answer that had arrived is not asked for twice (`proposers.remembering`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.edits.parse import parse
from dev_agent.programs.actions.modeled import Modeled
from dev_agent.programs.actions.patch import PROPOSAL
from dev_agent.programs.actions.plan import QUESTION
from dev_agent.programs.actions.widen import SAMPLES
from dev_agent.programs.solving.answers import Faulty, proposal_from, reason_of, request_from
from dev_agent.programs.solving.forms import DECLINED, MORE, patch_form
from dev_agent.programs.solving.samples import asked_together, together
from dev_agent.programs.solving.troubles import accepted, told, without_answer
from dev_agent.programs.solving.wording import PROMPTS
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.solving.asking import Asked, Asking
    from dev_agent.runtime.actions import Result
    from dev_agent.runtime.projection import ModelView


def _write(asking: Asking, view: ModelView) -> Result:
    count = int(str(view.facts[SAMPLES]))
    # Where several answer at once, the tokens of one of them tell nobody anything.
    quiet = asking if count == 1 else replace(asking, told=lambda _tokens: None)
    answers = asked_together(count, lambda sample: sampled(quiet, view, sample=sample))
    return together([_read(one) for one in answers], PROPOSAL)


def sampled(asking: Asking, view: ModelView, *, sample: int) -> Asked:
    """One answer to the view's question, counted; `sample` tells answers to the same question apart."""
    return asking.ask(view, purpose="patch", form=patch_form(str(view.facts[QUESTION])), sample=sample)


def _read(asked: Asked) -> Result:
    """What one answer comes to."""
    content = asked.reply.content
    if content is None:
        return without_answer(asked)
    if content.get("answer") == DECLINED:
        why = reason_of(content) or "it gives no reason"
        return told(asked, "declined", reason="model_declined", explanation=f"the model declined: {why}")
    if content.get("answer") == MORE:
        request = request_from(content)
        if isinstance(request, Faulty):
            return told(asked, "invalid", reason="unusable_answer", explanation=request.sentence)
        wanted = request.to_text().encode("utf-8", "backslashreplace")
        return accepted(asked, "needs_context", {}, {"request": wanted})
    proposal = proposal_from(content)
    if isinstance(proposal, Faulty):
        return told(asked, "invalid", reason="unusable_answer", explanation=proposal.sentence)
    try:
        found = parse(proposal)
    except EditError as error:
        why = f"the edits cannot be read: {error.message}"
        return told(asked, "invalid", reason="invalid_proposal", explanation=why, hint=error.hint)
    data = {"format": found.format, "edits": len(found.edits), "notes": list(found.notes)}
    return accepted(asked, "proposed", data, {PROPOSAL: proposal})


WRITE = Modeled(
    name="write",
    outcomes=frozenset({"proposed", "needs_context", "invalid", "declined", "unavailable", "busy"}),
    facts={
        "format": FactType.STR,
        "edits": FactType.INT,
        "notes": FactType.LIST,
        "samples": FactType.JSON,
        "request": FactType.PAYLOAD,
        "calls": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
        "texts": FactType.BOOL,
    },
    run=_write,
    prompts={name: PROMPTS[name] for name in ("stable", "patch")},
)
