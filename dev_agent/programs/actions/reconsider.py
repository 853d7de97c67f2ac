"""reconsider: what did not pass goes back to the model, in another way the second time, and not a third.

Runs in the state `repair`. A failure has a fingerprint that forgets lines, times and addresses. Seen for the first
time: `again`, with the change as it stands. For the second time in the run: `fresh`, from the base, with what was
learnt; the way that was tried leads there. For the third: `stuck`. Besides, so many proposals and no more. Whatever
failed, only what is new is told, and nothing of who judged by which rules. Writes nothing; killed at any point, the
state is entered again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dev_agent.context.fingerprint import fingerprint, normalised
from dev_agent.gates.verdict import Verdict
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.reasons import Reason, why
from dev_agent.programs.solving.progress import progress_of
from dev_agent.programs.staged import required
from dev_agent.programs.story import told
from dev_agent.programs.texts import restored
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.errors import BlobUnavailable
from dev_agent.runtime.fold import LEFT
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev_agent.programs.context import ApplyContext
    from dev_agent.runtime.events import Event

MOST_PROPOSALS = 8


def _reconsider(context: ApplyContext, view: View) -> Result:
    events = context.journal.events
    failed = _failed(events)
    reason = _NOTHING_DONE if failed == ("stage", "empty") else why(view.facts)
    facts = _quoting(context, events, view.facts)
    verdicts = _verdicts(facts) if failed[0] == "check" else []
    name = fingerprint(verdicts) if verdicts else _name(failed, facts)
    seen = 1 + sum(name == event.data["data"]["fingerprint"] for event in _repairs(events))  # type: ignore[index,call-overload]
    data = {
        "reason": reason.code,
        "explanation": reason.sentence,
        "hint": reason.hint,
        "fingerprint": name,
        "seen": seen,
    }
    progress = progress_of(events, context.journal.blob, base=context.base)
    if seen > 2:
        return Result("stuck", data)
    if progress.proposals >= MOST_PROPOSALS:
        return Result("exhausted", data)
    briefs = context.briefing(progress.shrunk)
    if verdicts:
        said = briefs.failures(verdicts, tree=required(view.facts).tree).text
    else:
        said = briefs.quoted("failure", failed[0], _sentence(failed, facts))
    blobs = {"failure": said.encode("utf-8", "backslashreplace")}
    return Result("fresh" if seen > 1 else "again", data, blobs)


_NOTHING_DONE = Reason(code="no_change", sentence="the proposed edits change nothing")


def _failed(events: Sequence[Event]) -> tuple[str, str]:
    """The state that was left last, and by which outcome: what did not pass."""
    last = next(event for event in reversed(events) if event.type == LEFT)
    return str(last.data["state"]), str(last.data["outcome"])


def _repairs(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.type == LEFT and event.data["state"] == "repair"]


def _quoting(context: ApplyContext, events: Sequence[Event], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with the sentences that stand beside the trace."""

    def read(commitment: str) -> bytes | None:
        try:
            return context.journal.blob(commitment)
        except BlobUnavailable:
            return None

    return restored(facts, told(events), read)


def _verdicts(facts: Mapping[str, Any]) -> list[Verdict]:
    check = facts["check"]
    return [Verdict.from_json(one) for branch in check.values() for one in branch.get("verdicts", ())]


def _sentence(failed: tuple[str, str], facts: Mapping[str, Any]) -> str:
    said = facts.get(failed[0], {})
    told = [str(said[key]) for key in ("explanation", "hint") if said.get(key)]
    return "\n".join(told) or _NOTHING_DONE.sentence


def _name(failed: tuple[str, str], facts: Mapping[str, Any]) -> str:
    content = "\0".join((*failed, normalised(_sentence(failed, facts))))
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


RECONSIDER = Declared(
    name="reconsider",
    outcomes=frozenset({"again", "fresh", "exhausted", "stuck"}),
    facts={
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
        "fingerprint": FactType.STR,
        "seen": FactType.INT,
        "failure": FactType.PAYLOAD,
    },
    run=_reconsider,
)
