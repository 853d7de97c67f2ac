"""Where the work of a model stands: what it planned, asked for and wrote so far, and what came of that. f(trace).

Computed from the events by which states were left, and from nothing else, so a run that was killed and taken up again
asks exactly what it would have asked. Pure but for reading payloads; what a payload says is read with the care its
maker deserves, which is none: a trace can be whole and foreign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from dev_agent.programs.solving.answers import Request, request_from_text
from dev_agent.programs.solving.plan import Plan, plan_from_text
from dev_agent.programs.texts import sentences
from dev_agent.runtime.fold import LEFT
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.runtime.events import Event

ReadBlob = Callable[[str], bytes]

_TOO_LARGE = "model_too_large"
_DROPPED = frozenset({("scope", "outside"), ("check_policy", "repairable")})
"""What failed here is not built upon: the part that must go would have to be undone without being seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setback:
    """A proposal that did not pass: at which state, by which outcome, and what is told of it (text for the model)."""

    state: str
    outcome: str
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What has happened so far.

    plan       the plan in force; None: the next answer has to be one
    requests   all that was asked to be shown, in order; `rounds` since the last plan or proposal
    unusable   answers in a row that could not be used, and `complaint`: what was wrong with the last of them
    shrunk     how often a view was too large for the model
    proposals  how many proposals were staged or could not be
    setback    the last proposal's; None if there was no proposal, or none since the plan was made anew
    lessons    what earlier starts failed on
    onto       the tree the next edits are made to, "" for the base's; `diff` is the change that it dropped
    """

    plan: Plan | None = None
    requests: tuple[Request, ...] = ()
    rounds: int = 0
    unusable: int = 0
    complaint: str = ""
    shrunk: int = 0
    proposals: int = 0
    setback: Setback | None = None
    lessons: tuple[str, ...] = ()
    onto: str = ""
    diff: str = ""


@dataclass(slots=True)
class _Fold:
    """The work of `progress_of`."""

    read: ReadBlob
    base: str
    now: Progress = field(default_factory=Progress)
    staged: str = ""
    patch: str = ""
    last: tuple[str, str] = ("", "")

    def apply(self, event: Event) -> None:
        state, outcome = str(event.data["state"]), str(event.data["outcome"])
        data: Mapping[str, Any] = event.data["data"]  # type: ignore[assignment]  # an object, by its declaration
        blobs = {blob.role: blob.commitment for blob in event.blobs}
        if state in ("plan", "patch"):
            self._answered(outcome, data, blobs)
        elif state == "retrieve":
            self.now = replace(self.now, rounds=self.now.rounds + 1)
        elif state in ("stage", "hooks", "rebase") and data.get("tree"):
            # What stands on another base than the run's own is not for edits to be made to.
            self.staged = str(data["tree"]) if data.get("base", "") == self.base else ""
            self.patch = self._text(blobs, "change.patch") or self.patch
        elif state == "repair":
            self._set_back(outcome, self._text(blobs, "failure"))
        if state != "repair":
            self.last = (state, outcome)

    def _answered(self, outcome: str, data: Mapping[str, Any], blobs: Mapping[str, str]) -> None:
        now = self.now
        match outcome:
            case "planned":
                plan = plan_from_text(self._text(blobs, "plan"))
                self.now = replace(now, plan=plan, rounds=0, unusable=0, complaint="")
            case "needs_context":
                request = request_from_text(self._text(blobs, "request"))
                self.now = replace(now, requests=(*now.requests, request), unusable=0, complaint="")
            case "invalid":
                shrunk = now.shrunk + (data.get("reason") == _TOO_LARGE)
                said = sentences(self.read(blobs["texts"])) if "texts" in blobs else ""
                self.now = replace(now, unusable=now.unusable + 1, complaint=said, shrunk=shrunk)
            case "proposed":
                self.now = replace(
                    now, proposals=now.proposals + 1, rounds=0, unusable=0, complaint="", diff=""
                )
                self.staged, self.patch = "", ""

    def _set_back(self, outcome: str, said: str) -> None:
        setback = Setback(state=self.last[0], outcome=self.last[1], said=said)
        now = self.now
        if outcome == "fresh":
            lessons = (*now.lessons, said)
            self.now = replace(now, plan=None, setback=None, lessons=lessons, onto="", diff="", rounds=0)
            return
        dropped = self.last in _DROPPED
        onto = self.staged if self.staged and not dropped else now.onto
        self.now = replace(now, setback=setback, onto=onto, diff=self.patch if dropped else "")

    def _text(self, blobs: Mapping[str, str], role: str) -> str:
        return self.read(blobs[role]).decode("utf-8", "replace") if role in blobs else ""


def progress_of(events: Iterable[Event], read: ReadBlob, *, base: str | None) -> Progress:
    """How far a run has come; `read` gives the payload behind a commitment, `base` is the run's base commit.

    Raises what `read` raises, and ValueError for payloads that are not what their events say.
    """
    fold = _Fold(read=read, base=base or "")
    for event in events:
        if event.type == LEFT:
            fold.apply(event)
    return fold.now
