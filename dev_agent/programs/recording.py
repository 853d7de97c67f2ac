"""What a trace recorded that a second execution cannot ask for again: proposals, landings, a person's words.

Each is answered from the trace in the order it was given, so that a replay asks no model, runs no proposer's program,
moves no branch and needs no person.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.actions.land import LAND
from dev_agent.programs.actions.patch import PROPOSAL
from dev_agent.programs.actions.push import LOOK_AGAIN, PUSH
from dev_agent.programs.proposers import Answer
from dev_agent.programs.solving.asking import REPLY
from dev_agent.programs.staged import required
from dev_agent.proposers.model import Reply, Trouble
from dev_agent.proposers.records import reply_from_json
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.canonical import read_json, thaw
from dev_agent.runtime.fold import LEFT, RETRIED
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.proposers.model import Ask, Usage
    from dev_agent.runtime.canonical import Json
    from dev_agent.runtime.events import Event
    from dev_agent.runtime.host import Cancel

_NOT_THERE = {LAND.name: "refused", PUSH.name: "refused", LOOK_AGAIN.name: "superseded"}
"""The outcome by which a replay ends where the recorded run never came to."""

PUBLISHING = (LAND, LOOK_AGAIN, PUSH)
"""The actions that change, or ask, what is outside of the run: a replay does not do them again."""

_ASKED_AGAIN = frozenset({"again", "stuck"})


@dataclass(kw_only=True, slots=True)
class Recorded:
    """The proposer of a replay: the recorded answers, one after the other, and then none."""

    answers: Sequence[Answer]
    name: str
    revises: bool
    _given: int = 0

    def propose(self) -> Answer:
        """The next recorded answer."""
        self._given += 1
        if self._given > len(self.answers):
            return Answer(declined="the recording holds no further answer", reason="recording_ended")
        return self.answers[self._given - 1]


def recorded_proposer(events: Sequence[Event], name: str, blob: Callable[[str], bytes]) -> Recorded:
    """The proposer a run had, as its trace recorded it. Raises what `blob` raises for an erased proposal."""
    asked = any(event.data["outcome"] in _ASKED_AGAIN for event in left(events, "repair"))
    answers = [_answer(event, blob) for event in left(events, "patch")]
    return Recorded(answers=answers, name=name, revises=asked)


def left(events: Sequence[Event], state: str) -> list[Event]:
    """The events by which a state was left, in order."""
    return [event for event in events if event.type == LEFT and event.data["state"] == state]


def signals(events: Sequence[Event], waits: frozenset[str]) -> list[dict[str, Any]]:
    """What waiting states were answered, in order."""
    return [
        {"state": event.data["state"], "outcome": event.data["outcome"], "data": thaw(event.data["data"])}
        for event in events
        if event.type == LEFT and event.data["state"] in waits
    ]


@dataclass(kw_only=True, slots=True)
class RecordedModel:
    """The model of a replay: what the recorded one answered, call by call, and then nothing.

    Every call of the run is here, those that were tried again too, so the replay takes the same turns and counts the
    same costs. The questions are put together anew; which answer belongs to which is their order (of each sample).
    """

    name: str
    model: str
    replies: Mapping[int, Sequence[tuple[Reply, int | None]]]
    described: Mapping[str, Json]
    _given: dict[int, int] = field(default_factory=dict)
    _local: threading.local = field(default_factory=threading.local)

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:  # noqa: ARG002 - as models are asked
        """The next recorded reply to this sample."""
        at = self._given.get(ask.sample, 0)
        self._given[ask.sample] = at + 1
        known = self.replies.get(ask.sample, ())
        if at >= len(known):
            detail = "the recording holds no further answer"
            return Reply(trouble=Trouble.BAD_REQUEST, detail=detail, model=self.model)
        # Several answers are asked for at once, each in a thread that then asks for its price.
        reply, self._local.micro = known[at]
        # Whatever the service asked to be waited for was waited for then.
        return replace(reply, retry_after_ms=None)

    def count(self, ask: Ask) -> int | None:  # noqa: ARG002 - as above
        """A recording counts nothing."""
        return None

    def describe(self) -> Mapping[str, Json]:
        """What the recorded model was."""
        return self.described

    def price(self, _model: str, _usage: Usage) -> int | None:
        """What the call cost when it was made, as it was known then."""
        known: int | None = self._local.micro
        return known


def recorded_model(events: Sequence[Event], blob: Callable[[str], bytes]) -> RecordedModel:
    """The model a run asked, as its trace recorded it. Raises what `blob` raises, ValueError for a foreign reply."""
    begin: Any = next((event.data["data"] for event in left(events, "begin")), {})
    known: Any = begin.get("model") or {}
    replies: dict[int, list[tuple[Reply, int | None]]] = {}
    for event in events:
        if event.type in (LEFT, RETRIED):
            data: Any = event.data["data"]
            answers = [one.commitment for one in event.blobs if one.role.partition("-")[0] == REPLY]
            for call, commitment in zip(data.get("calls", ()), answers, strict=False):
                replies.setdefault(int(call["sample"]), []).append(
                    (reply_from_json(read_json(blob(commitment))), call["micro_usd"])
                )
    return RecordedModel(
        name=str(known.get("name", "")),
        model=str(known.get("model", "")),
        replies=replies,
        described=known,
    )


@dataclass(kw_only=True, slots=True)
class RecordedLandings:
    """Stands where one of `PUBLISHING` stands and moves nothing: it says what was said, about the tree staged now."""

    events: Sequence[Event]
    stands_for: Declared = LAND
    _given: int = field(default=0)

    def action(self) -> Declared:
        """The action that takes its place."""
        taken = self.stands_for
        return Declared(name=taken.name, outcomes=taken.outcomes, facts=taken.facts, run=self._say)

    def _say(self, _context: ApplyContext, view: View) -> Result:
        staged = required(view.facts)
        recorded = left(self.events, self.stands_for.name)
        self._given += 1
        if self._given > len(recorded):
            why = "the run that is replayed never came to land here"
            return Result(_NOT_THERE[self.stands_for.name], {"reason": "not_recorded", "explanation": why})
        event = recorded[self._given - 1]
        data: dict[str, Any] = thaw(event.data["data"])  # type: ignore[assignment]  # an object, by its declaration
        same = {"commit": staged.commit, "tree": staged.tree} if data.get("commit") else {}
        return Result(str(event.data["outcome"]), {**data, **same})


def _answer(event: Event, blob: Callable[[str], bytes]) -> Answer:
    data: Any = event.data["data"]
    if data.get("tree"):
        return Answer(tree=str(data["tree"]), commit=str(data.get("commit", "")))
    for one in event.blobs:
        if one.role == PROPOSAL:
            return Answer(content=blob(one.commitment))
    return Answer(
        declined=str(data.get("explanation", "declined")), reason=str(data.get("reason", "declined"))
    )
