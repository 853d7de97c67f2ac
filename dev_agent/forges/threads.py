"""What people talk on: issues, pull requests, and the comments on both, as frozen values.

Every text in these values was written by somebody else and is data (see `forge.py`). Times are the host's own ISO 8601
strings, compared for equality only.
"""

from __future__ import annotations

from enum import StrEnum

from dev_agent.forges.accounts import Actor, Association
from dev_agent.values import dataclass


class OpenState(StrEnum):
    """Whether an issue or a pull request is open."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """An issue as it is now. `is_pull_request`: hosts number them together, and this number is one."""

    number: int
    title: str
    body: str
    state: OpenState
    author: Actor
    association: Association
    labels: tuple[str, ...]
    updated_at: str
    locked: bool
    is_pull_request: bool
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment on an issue or a pull request. It was edited if the two times differ."""

    id: int
    body: str
    author: Actor
    association: Association
    created_at: str
    updated_at: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One end of a pull request: branch `ref` (short) at commit `sha`; `repository` is None if it was deleted."""

    ref: str
    sha: str
    repository: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request as it is now."""

    number: int
    title: str
    body: str
    state: OpenState
    draft: bool
    merged: bool
    author: Actor
    association: Association
    head: Branch
    base: Branch
    labels: tuple[str, ...]
    updated_at: str
    url: str

    @property
    def is_fork(self) -> bool:
        """True if the head is in another repository (or in none any more)."""
        return self.head.repository is None or self.head.repository != self.base.repository


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPullRequest:
    """What a pull request is opened with: `head` and `base` are short branch names of the same repository."""

    title: str
    body: str
    head: str
    base: str
    draft: bool = True
