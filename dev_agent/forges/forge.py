"""What the bots need of a code host, as one small interface and frozen values. Nothing here does anything.

Every text in these values was written by somebody else and is data: it reaches Markdown, refs, paths, terminals and
workflow commands only through the encoders of `dev_agent.forges.text`. Times are the host's own ISO 8601 strings,
compared for equality only. A method that publishes is one request: either the host has it or it has not; what is asked
twice because an answer was lost is sorted out by `sticky`, `checks` and the callers, which look before they write.

All methods raise the family of `dev_agent.forges.errors`, and KeyboardInterrupt if a stop was asked for meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

MAX_ANNOTATIONS = 50
"""Annotations a check run takes in one request (GitHub's limit); `checks` sends more in batches."""

MAX_BODY = 65_535
"""Characters of a comment, a pull request's body, a check's summary and its text (GitHub's limit)."""

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryName:
    """`owner/name` of a repository on the host, in letters that are safe in a URL as they stand."""

    owner: str
    name: str

    def __post_init__(self) -> None:
        """Raises UsageFault for anything a host would not allow."""
        if not _OWNER.match(self.owner) or not _NAME.match(self.name) or self.name in {".", ".."}:
            raise UsageFault(
                f"{self.owner}/{self.name} is not the name of a repository"[:300],
                hint="write it as owner/name, for example octo/invoices",
            )

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """From `owner/name`. Raises UsageFault."""
        owner, _, name = text.partition("/")
        return cls(owner=owner, name=name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


class ActorKind(StrEnum):
    """What an account is, in GitHub's words; a kind we have not heard of is OTHER and is never trusted."""

    USER = "User"
    BOT = "Bot"
    ORGANIZATION = "Organization"
    OTHER = "Other"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """An account. A deleted one has the login `ghost`."""

    login: str
    kind: ActorKind


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


class CheckStatus(StrEnum):
    """How far a check run is."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check run ended. `neutral` and `skipped` satisfy a required check: nothing red may use them."""

    SUCCESS = "success"
    FAILURE = "failure"
    ACTION_REQUIRED = "action_required"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    NEUTRAL = "neutral"


class AnnotationLevel(StrEnum):
    """How loud an annotation is."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A remark on lines of a file at the check's commit; lines count from 1, both ends included."""

    path: str
    start_line: int
    end_line: int
    level: AnnotationLevel
    message: str
    title: str = ""
    raw_details: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What a check run says; texts are Markdown, encoded already. It concludes exactly when it is completed."""

    name: str
    status: CheckStatus
    conclusion: Conclusion | None
    title: str
    summary: str
    text: str = ""
    external_id: str = ""
    details_url: str = ""
    annotations: tuple[Annotation, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError if status and conclusion contradict each other."""
        if (self.status is CheckStatus.COMPLETED) != (self.conclusion is not None):
            raise ValueError(f"a check that is {self.status} cannot conclude with {self.conclusion}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRun:
    """A check run the host has."""

    id: int
    name: str
    head_sha: str
    status: CheckStatus
    conclusion: str
    external_id: str
    url: str


class StatusState(StrEnum):
    """The four states of a commit status."""

    ERROR = "error"
    FAILURE = "failure"
    PENDING = "pending"
    SUCCESS = "success"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReport:
    """A commit status: for tokens that may not create check runs. The host takes 140 characters of `description`."""

    context: str
    state: StatusState
    description: str
    target_url: str = ""


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


def newest(runs: Sequence[CheckRun], *, external_id: str) -> CheckRun | None:
    """The check run one of our runs made before, if it did."""
    return next((run for run in runs if run.external_id == external_id), None)
