"""Who writes on a code host: an account, how it stands to the repository, what it may do there."""

from __future__ import annotations

from enum import StrEnum

from dev_agent.values import dataclass


class ActorKind(StrEnum):
    """What an account is, in GitHub's words; a kind we have not heard of is OTHER and is never trusted."""

    USER = "User"
    BOT = "Bot"
    ORGANIZATION = "Organization"
    OTHER = "Other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """An account. A deleted one has the login `ghost`."""

    login: str
    kind: ActorKind


class Association(StrEnum):
    """How an author stands to the repository, as the host says it in payloads and answers."""

    OWNER = "OWNER"
    MEMBER = "MEMBER"
    COLLABORATOR = "COLLABORATOR"
    CONTRIBUTOR = "CONTRIBUTOR"
    FIRST_TIMER = "FIRST_TIMER"
    FIRST_TIME_CONTRIBUTOR = "FIRST_TIME_CONTRIBUTOR"
    MANNEQUIN = "MANNEQUIN"
    NONE = "NONE"


class Permission(StrEnum):
    """What an account may do here. `maintain` counts as write and `triage` as read, as GitHub maps them."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def may_write(self) -> bool:
        """True for those who could push the change themselves."""
        return self in {Permission.WRITE, Permission.ADMIN}
