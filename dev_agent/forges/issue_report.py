"""How the issue bot's work ended: one value for the comment, the exit code and `--json`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from dev_agent.programs.report import Outcome, RunReport
from dev_agent.values import dataclass


class BotOutcome(StrEnum):
    """What became of a request."""

    PUBLISHED = "published"
    PROPOSED = "proposed"
    NO_CHANGE = "no_change"
    IGNORED = "ignored"
    REJECTED = "rejected"
    MOVED = "moved"
    FAILED = "failed"


_EXIT_CODES = {
    BotOutcome.PUBLISHED: 0,
    BotOutcome.PROPOSED: 0,
    BotOutcome.NO_CHANGE: 0,
    BotOutcome.IGNORED: 0,
    BotOutcome.REJECTED: 1,
    BotOutcome.FAILED: 3,
    BotOutcome.MOVED: 6,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BotReport:
    """`reason` is a stable code, `sentence` says why in plain words, `advice` what to do; all three may be empty.

    `run` is the run that judged last. `commit` is there once it is published, `pull_request` also if there is one that
    stays as it is. `code` is an exit code where the outcome alone does not say it (usage, budget).
    """

    outcome: BotOutcome
    issue: int | None = None
    reason: str = ""
    sentence: str = ""
    advice: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    pull_request: int | None = None
    pull_request_url: str = ""
    comment_url: str = ""
    artifact: str = ""
    run: RunReport | None = None
    code: int | None = None

    @property
    def exit_code(self) -> int:
        """0 published, proposed, nothing to do or not for us · 1 refused · 3 environment · 6 the branch moved."""
        return _EXIT_CODES[self.outcome] if self.code is None else self.code

    def to_json(self) -> dict[str, Any]:
        """The result object of `--json`; its keys are a contract."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason,
            "explanation": self.sentence,
            "advice": self.advice,
            "issue": self.issue,
            "branch": self.branch,
            "base": self.base,
            "commit": self.commit,
            "pull_request": self.pull_request,
            "pull_request_url": self.pull_request_url,
            "comment_url": self.comment_url,
            "artifact": self.artifact,
            "run": None if self.run is None else self.run.to_json(),
        }


_ELSEWHERE = "say in a new comment what is to be different; the whole run is in the artifact of the job"


def of_run(report: RunReport) -> dict[str, Any]:
    """The fields of a BotReport that a run's own report answers.

    Advice to look at the run is left out: it is on a machine that will be gone.
    """
    verified = report.outcome is Outcome.VERIFIED
    return {
        "reason": report.reason or ("" if verified else report.outcome.value),
        "sentence": report.explanation or ("" if verified else f"the run ended: {report.outcome.value}"),
        "advice": _ELSEWHERE if report.run in report.advice else report.advice,
        "base": report.base,
        "run": report,
    }
