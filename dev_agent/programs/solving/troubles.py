"""What becomes of a call that brought no answer: which outcome it is, and whether money or a machine is to blame.

passing     busy         asked again, a bounded number of times, later each time
answerable  invalid      the next view says what was wrong with the answer
too large   invalid      the next view is smaller
refused     declined     the model or its service will not answer this
the rest    unavailable  key, account, address or name: only a person can mend that
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.texts import quoted
from dev_agent.proposers.model import Trouble
from dev_agent.runtime.actions import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.programs.solving.asking import Asked

PREFIX = "model_"
"""How a reason begins that is a call's trouble."""

_OF_THE_MODEL = frozenset({Trouble.REFUSED, Trouble.TOO_LARGE, *(one for one in Trouble if one.answerable)})
_WAYS = {
    "busy": "try again later, or use another model: --model",
    "unavailable": "see what could work here: dev-agent doctor",
}


def outcome_of(trouble: Trouble) -> str:
    """The outcome of the state whose call ended in this trouble."""
    if trouble.passing:
        return "busy"
    if trouble.answerable or trouble is Trouble.TOO_LARGE:
        return "invalid"
    return "declined" if trouble is Trouble.REFUSED else "unavailable"


def is_environment(reason: str) -> bool:
    """True for a reason that lies in key, account, network or service, and not in what a model answered."""
    known = reason.removeprefix(PREFIX)
    return reason != known and known in set(Trouble) - _OF_THE_MODEL


def without_answer(asked: Asked) -> Result:
    """The result of a state whose only call brought no answer."""
    trouble = asked.reply.trouble
    if trouble is None:
        raise AssertionError("BUG: a call with an answer was taken for one without")
    outcome = outcome_of(trouble)
    return told(
        asked,
        outcome,
        reason=f"{PREFIX}{trouble.value}",
        explanation=asked.reply.detail or f"the model gave no answer ({trouble.value})",
        hint=asked.reply.hint or _WAYS.get(outcome, ""),
    )


def told(asked: Asked, outcome: str, *, reason: str, explanation: str, hint: str = "", **more: Any) -> Result:
    """A result that says why; the sentences may quote a model or a service, so they go beside the trace."""
    data, texts = quoted({"reason": reason, "explanation": explanation, "hint": hint})
    return Result(outcome, {**data, "calls": [asked.call], **more}, {**asked.blobs, **texts}, asked.cost)


def accepted(asked: Asked, outcome: str, data: Mapping[str, Any], payloads: Mapping[str, bytes]) -> Result:
    """A result with what the answer came to."""
    return Result(
        outcome, {"reason": "", **data, "calls": [asked.call]}, {**asked.blobs, **payloads}, asked.cost
    )
