"""From an event, or the number of an issue, to a request that is believed or refused: the beginning of both jobs.

Both ask the host anew, each with its own token: what the first one found is no reason for the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges.events import IssueCommentEvent
from dev_agent.forges.issue_text import COMMENT
from dev_agent.forges.place import Place, find_place
from dev_agent.forges.sticky import find, state_of
from dev_agent.forges.threads import OpenState
from dev_agent.forges.trigger import NotForUs, Trigger, by_hand, read_trigger
from dev_agent.forges.trust import Distrust, distrust_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.accounts import Actor
    from dev_agent.forges.events import Event
    from dev_agent.forges.forge import Forge


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request that is followed: where its work goes, and what our comment on the issue keeps."""

    trigger: Trigger
    viewer: Actor
    place: Place
    state: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A request that is not followed. `told` says that our comment on the issue exists, `state` what it keeps."""

    trigger: Trigger
    viewer: Actor
    distrust: Distrust
    told: bool
    state: dict[str, str]


def read_request(forge: Forge, event: Event | None, issue: int | None, *, label: str) -> Trigger | NotForUs:
    """What is asked, by the event or, where there is none, by whoever runs this for issue `issue`.

    Raises UsageFault if the event is of another repository, or if neither is given.
    """
    if event is None:
        if issue is None:
            raise UsageFault("no issue is named", hint="name it with --issue 12, or run this for an event")
        return by_hand(forge.issue(issue), forge.viewer())
    if event.repository != forge.repository:
        raise UsageFault(
            f"the event is of {event.repository}, and this is about {forge.repository}",
            hint="leave --repository out: the event says which it is",
        )
    found = read_trigger(event, label=label, ours=_our_branch(forge, event))
    return by_hand(forge.issue(found), event.sender) if isinstance(found, int) else found


def weigh(forge: Forge, trigger: Trigger, *, bots: frozenset[str]) -> Asked | Refused:
    """Whether the request is followed, and where to. Raises ForgeFault."""
    viewer = forge.viewer()
    comment = find(forge, trigger.issue, COMMENT, viewer=viewer)
    state = state_of(comment)
    distrust = distrust_of(forge, trigger, bots=bots)
    if distrust is not None:
        return Refused(
            trigger=trigger, viewer=viewer, distrust=distrust, told=comment is not None, state=state
        )
    place = find_place(forge, trigger.issue, trigger.key, state)
    return Asked(trigger=trigger, viewer=viewer, place=place, state=state)


def _our_branch(forge: Forge, event: Event) -> str | None:
    """The head branch of the open pull request a comment stands on, if it is a branch of this very repository."""
    if not isinstance(event, IssueCommentEvent) or not event.issue.is_pull_request:
        return None
    pull = forge.pull_request(event.issue.number)
    return None if pull.is_fork or pull.state is OpenState.CLOSED else pull.head.ref
