"""Whether somebody may ask the bot to work, and whether they still ask for the same. Every no has its reason.

An actor is trusted for two facts together: the host calls the author of the comment an owner, a member or a
collaborator, and the host's own answer *now* is that the account may write to this repository. A label has no author
in its payload, so there the second fact decides alone. Bots are refused unless they are listed by name: "it is a bot"
has been taken for trust before, and anybody can make one. The people who list a bot vouch for it; hosts know no
permission of theirs.

What was asked is compared with what the host says now: text that was edited after the event, a label that was taken
off, a comment that was deleted and an issue that was closed all mean that nobody asks for this any more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from dev_agent.forges.accounts import ActorKind, Association
from dev_agent.forges.errors import ForgeRefused
from dev_agent.forges.threads import OpenState
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.accounts import Actor
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.trigger import Trigger

_CLOSE = frozenset({Association.OWNER, Association.MEMBER, Association.COLLABORATOR})


class Doubt(StrEnum):
    """Why a request is not followed."""

    BOT = "bot"
    ASSOCIATION = "association"
    PERMISSION = "permission"
    ISSUE_CLOSED = "issue_closed"
    ISSUE_EDITED = "issue_edited"
    COMMENT_EDITED = "comment_edited"
    COMMENT_DELETED = "comment_deleted"
    LABEL_REMOVED = "label_removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Distrust:
    """A request that is not followed: why, in one sentence, and what to do. Names in it are data."""

    doubt: Doubt
    sentence: str
    remedy: str

    @property
    def about_actor(self) -> bool:
        """True if somebody asked who may not; False if it is not asked any more."""
        return self.doubt in {Doubt.BOT, Doubt.ASSOCIATION, Doubt.PERMISSION}


def distrust_of(forge: Forge, trigger: Trigger, *, bots: frozenset[str]) -> Distrust | None:
    """Why the request is not followed; None if it is."""
    return _actor(forge, trigger, bots) or changed_since(forge, trigger)


def is_bot(actor: Actor) -> bool:
    """True for every account that is not a person, as far as the host tells."""
    return actor.kind is not ActorKind.USER or actor.login.endswith("[bot]")


def _actor(forge: Forge, trigger: Trigger, bots: frozenset[str]) -> Distrust | None:
    login = trigger.actor.login
    if is_bot(trigger.actor):
        if login.lower() in {one.lower() for one in bots}:
            return None
        return Distrust(
            doubt=Doubt.BOT,
            sentence=f"{login} is not a person, and not one of the bots that may ask",
            remedy="somebody with write access asks, or lists it in the workflow: --allow-bot NAME",
        )
    if trigger.association is not None and trigger.association not in _CLOSE:
        return Distrust(
            doubt=Doubt.ASSOCIATION,
            sentence=f"{login} is neither an owner nor a member nor a collaborator of this repository",
            remedy="somebody with write access reads the request and repeats it",
        )
    permission = forge.permission(login)
    if not permission.may_write:
        return Distrust(
            doubt=Doubt.PERMISSION,
            sentence=f"{login} may not write to this repository (permission: {permission})",
            remedy="somebody with write access reads the request and repeats it",
        )
    return None


def changed_since(forge: Forge, trigger: Trigger) -> Distrust | None:
    """Why nobody asks for this any more; None while it stands. Asked again right before anything is published."""
    issue = forge.issue(trigger.thread)
    if issue.state is OpenState.CLOSED:
        return _gone(Doubt.ISSUE_CLOSED, f"#{trigger.thread} was closed", "open it again, then ask again")
    if (issue.title, issue.body) != (trigger.title, trigger.body):
        return _gone(Doubt.ISSUE_EDITED, "its text was edited after the request", _READ)
    if trigger.label and trigger.label not in issue.labels:
        return _gone(Doubt.LABEL_REMOVED, f"the label {trigger.label} was taken off", "put it on again")
    return None if trigger.comment is None else _comment(forge, trigger, trigger.comment)


def _comment(forge: Forge, trigger: Trigger, identity: int) -> Distrust | None:
    try:
        comment = forge.comment(identity)
    except ForgeRefused as refused:
        if refused.status != 404:
            raise
        return _gone(Doubt.COMMENT_DELETED, "the comment that asked for it was deleted", "ask again")
    if (comment.updated_at, comment.body) != (trigger.seen_at, trigger.comment_body):
        return _gone(Doubt.COMMENT_EDITED, "the comment that asked for it was edited", _READ)
    return None


_READ = "read it as it is now, then ask again in a new comment, or take the label off and put it on again"


def _gone(doubt: Doubt, sentence: str, remedy: str) -> Distrust:
    return Distrust(doubt=doubt, sentence=sentence, remedy=remedy)
