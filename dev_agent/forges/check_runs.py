"""What a host is told of a commit, and what it has been told: check runs and commit statuses, as frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from dev_agent.values import dataclass

MAX_ANNOTATIONS = 50
"""Annotations a check run takes in one request (GitHub's limit); `checks` sends more in batches."""


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


def newest(runs: Sequence[CheckRun], *, external_id: str) -> CheckRun | None:
    """The check run one of our runs made before, if it did."""
    return next((run for run in runs if run.external_id == external_id), None)
