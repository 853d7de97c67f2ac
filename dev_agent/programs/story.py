"""A run as its trace tells it, for people and receipts: facts, the path taken, blobs, and how it stands.

Pure, and lenient about the program: a run of an older or foreign program can still be read. What may happen
next is the engine's business (`runtime.fold`), never decided from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.events import RUN_STARTED, Event
from dev_agent.runtime.fold import BEGUN, BRANCH_LEFT, ENTERED, EXCEEDED, FINISHED, INTERRUPTED, LEFT, RESUMED
from dev_agent.runtime.receipt import costs
from dev_agent.values import dataclass

REQUEST = "request"
"""The event that holds what the caller asked for; its payloads are blobs."""

_ASKED = ("dry_run", "branch", "must_pass", "sandbox", "profile", "target", "base", "base_tree", "policy")
_REJECTIONS = frozenset(
    {"refused", "invalid", "declined", "unresolved", "failed", "repairable", "denied", "rejected", "blocked",
     "conflict", "error", "exhausted", "stuck", "lacking", "busy", "unavailable", "too_large", "unaffordable",
     "outside", "fresh"}
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PathStep:
    """One state left: by which outcome, after how many attempts, and how long it took in milliseconds."""

    state: str
    attempt: int
    outcome: str
    ms: int

    @property
    def is_rejection(self) -> bool:
        """True if the edge taken says no."""
        return self.outcome in _REJECTIONS


@dataclass(kw_only=True, slots=True)
class Story:
    """What a trace tells. Read it; only `told` writes it.

    `state` is where the run stands (the final one once `finished`), `reason` the last outcome or `budget_<which>`.
    `pending` are the outputs of branches whose state has not joined yet. `blobs` maps `state.role` (or
    `state.branch.role`) to the latest commitment. `events` and `head` cover the trace up to the event that
    finished the run, or all of it.
    """

    run: str = ""
    binding: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    path: list[PathStep] = field(default_factory=list)
    blobs: dict[str, str] = field(default_factory=dict)
    cost: dict[str, int] = field(default_factory=dict)
    state: str = ""
    reason: str = ""
    finished: bool = False
    interrupted: bool = False
    started: str = ""
    ended: str = ""
    ms: int = 0
    events: int = 0
    head: str = ""
    pending: dict[str, Any] = field(default_factory=dict)


def told(events: Sequence[Event]) -> Story:
    """The story of a run from its events, oldest first.

    Raises TraceCorrupt for an event of a known type that is not of its form: a chain can be whole and foreign.
    """
    story = Story()
    for event in events:
        if story.finished:
            break
        story.events, story.head, story.ended = event.seq + 1, event.hash, event.at
        try:
            _TELLERS.get(event.type, _other)(story, event)
        except (KeyError, TypeError, ValueError) as error:
            raise TraceCorrupt(event.seq, f"{event.type} is malformed: {error}") from None
    story.cost = costs(events[: story.events])
    return story


def lacks_of_request(story: Story) -> tuple[str, ...]:
    """What a run of dev-agent's own programs would have recorded of its request and this one did not."""
    return tuple(key for key in _ASKED if key not in story.request)


def program_of(story: Story) -> str:
    """The name of the shipped program a run follows. Traces that do not name one are of `apply`."""
    return str(story.request.get("program", "apply"))


def recipe_of(story: Story) -> dict[str, str]:
    """Name and title of the recipe that proposed; empty if none did."""
    known = _mapping(story.request.get("proposer"))
    if known.get("kind") != "recipe":
        return {}
    return {"name": str(known["recipe"]), "title": str(known["title"])}


def _started(story: Story, event: Event) -> None:
    story.run, story.started = event.run, event.at
    story.binding = {key: str(value) for key, value in _mapping(event.data.get("binding")).items()}


def _requested(story: Story, event: Event) -> None:
    story.request = event.data
    story.blobs.update({f"{REQUEST}.{blob.role}": blob.commitment for blob in event.blobs})


def _begun(story: Story, event: Event) -> None:
    story.inputs = _mapping(event.data.get("inputs"))


def _entered(story: Story, event: Event) -> None:
    story.state = str(event.data["state"])
    story.interrupted = False
    story.pending = {}


def _branch_left(story: Story, event: Event) -> None:
    branch, state = str(event.data["branch"]), str(event.data["state"])
    story.pending[branch] = event.data["data"]
    _keep_blobs(story, f"{state}.{branch}", event)


def _left(story: Story, event: Event) -> None:
    state, outcome = str(event.data["state"]), str(event.data["outcome"])
    story.facts[state] = dict(story.pending) if story.pending else event.data["data"]
    story.pending = {}
    step = PathStep(
        state=state, attempt=int(str(event.data["attempt"])), outcome=outcome, ms=int(str(event.data["ms"]))
    )
    story.path.append(step)
    story.ms += step.ms
    story.state, story.reason = str(event.data["next"]), outcome
    _keep_blobs(story, state, event)


def _exceeded(story: Story, event: Event) -> None:
    story.state, story.reason = str(event.data["next"]), f"budget_{event.data['budget']}"


def _finished(story: Story, event: Event) -> None:
    story.state, story.finished = str(event.data["state"]), True


def _interrupted(story: Story, _event: Event) -> None:
    story.interrupted = True


def _resumed(story: Story, _event: Event) -> None:
    story.interrupted = False


def _other(_story: Story, _event: Event) -> None:
    """Records of actions are read where they matter."""


def _keep_blobs(story: Story, name: str, event: Event) -> None:
    story.blobs.update({f"{name}.{blob.role}": blob.commitment for blob in event.blobs})


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_TELLERS = {
    RUN_STARTED: _started,
    REQUEST: _requested,
    BEGUN: _begun,
    ENTERED: _entered,
    BRANCH_LEFT: _branch_left,
    LEFT: _left,
    EXCEEDED: _exceeded,
    FINISHED: _finished,
    INTERRUPTED: _interrupted,
    RESUMED: _resumed,
}
