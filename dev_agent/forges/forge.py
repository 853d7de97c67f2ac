"""What the bots need of a code host, as one small interface. Nothing here does anything.

The values that go through it are in `accounts.py`, `threads.py` and `check_runs.py`. Every text in them was written by
somebody else and is data: it reaches Markdown, refs, paths, terminals and workflow commands only through what `text.py`
encodes. A method that publishes is one request: either the host has it or it has not; what is asked
twice because an answer was lost is sorted out by `sticky`, `checks` and the callers, which look before they write.

All methods raise the family of `dev_agent.forges.errors`, and KeyboardInterrupt if a stop was asked for meanwhile.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from dev_agent.forges.accounts import Actor, Permission
from dev_agent.forges.check_runs import CheckReport, CheckRun, StatusReport
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.threads import Comment, Issue, NewPullRequest, OpenState, PullRequest
from dev_agent.values import dataclass

MAX_BODY = 65_535
"""Characters of a comment, a pull request's body, a check's summary and its text (GitHub's limit)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """A ref of the repository on the host: its full name, and the object it holds."""

    name: str
    sha: str


class ComparisonStatus(StrEnum):
    """How a head stands to a base."""

    IDENTICAL = "identical"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What lies between two commits of the host."""

    status: ComparisonStatus
    ahead_by: int
    behind_by: int
    merge_base: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryInfo:
    """What the bots ask of a repository as a whole."""

    default_branch: str
    private: bool
    archived: bool
    clone_url: str


class Forge(Protocol):
    """One repository on a code host, seen with one token."""

    @property
    def repository(self) -> RepositoryName:
        """Which repository."""
        ...

    def describe(self) -> RepositoryInfo:
        """The repository as a whole."""
        ...

    def viewer(self) -> Actor:
        """Who we are to the host: the author of what this token writes."""
        ...

    def permission(self, login: str) -> Permission:
        """What the account may do here; of a stranger it is NONE or, in a public repository, READ."""
        ...

    def issue(self, number: int) -> Issue:
        """The issue (or the issue side of a pull request)."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of an issue or pull request, oldest first."""
        ...

    def comment(self, identity: int) -> Comment:
        """One comment by its id."""
        ...

    def create_comment(self, number: int, body: str) -> Comment:
        """Say something on an issue or pull request."""
        ...

    def update_comment(self, identity: int, body: str) -> Comment:
        """Replace a comment's text."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """The pull request."""
        ...

    def pull_requests(
        self, *, head: str, state: OpenState | None = OpenState.OPEN
    ) -> tuple[PullRequest, ...]:
        """Those from branch `head` (short) of this very repository, newest first; None: open and closed ones."""
        ...

    def create_pull_request(self, new: NewPullRequest) -> PullRequest:
        """Open one."""
        ...

    def update_pull_request(
        self, number: int, *, title: str | None = None, body: str | None = None
    ) -> PullRequest:
        """Replace what is given, leave the rest."""
        ...

    def check_runs(self, sha: str, *, name: str) -> tuple[CheckRun, ...]:
        """The check runs of that name on a commit, newest first."""
        ...

    def create_check_run(self, sha: str, report: CheckReport) -> CheckRun:
        """Begin, or tell at once, a check on a commit. Raises ValueError for more than MAX_ANNOTATIONS."""
        ...

    def update_check_run(self, identity: int, report: CheckReport) -> CheckRun:
        """Replace what the check says and *add* the annotations. Raises ValueError for more than MAX_ANNOTATIONS."""
        ...

    def set_status(self, sha: str, report: StatusReport) -> None:
        """Set a commit status; the latest of a context counts."""
        ...

    def ref(self, name: str) -> Ref | None:
        """The ref `name` (in full: `refs/heads/main`) on the host, or None if there is none."""
        ...

    def compare(self, base: str, head: str) -> Comparison:
        """How commit or branch `head` stands to `base`."""
        ...


def superseded_by(forge: Forge, number: int, sha: str) -> str | None:
    """Why a judgement of `sha` for pull request `number` is out of date, in words; None while it is not.

    Asked right before anything is reported or landed: a push may have come while the judging went on.
    """
    pull = forge.pull_request(number)
    if pull.merged:
        return f"pull request #{number} was merged meanwhile"
    if pull.state is OpenState.CLOSED:
        return f"pull request #{number} was closed meanwhile"
    if pull.head.sha != sha:
        return f"pull request #{number} is at {pull.head.sha[:12]} now, not at {sha[:12]}"
    return None
