"""What publishing works with, and what ends it: a report in the bot's words."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.forges.issue_report import BotOutcome, BotReport, of_run
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev_agent.cancel import Cancel
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.http import Clock
    from dev_agent.forges.remote import Remote
    from dev_agent.forges.request import Asked
    from dev_agent.forges.trigger import Trigger
    from dev_agent.runtime.engine import Reporter


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """What publishing works with. The fields of `apply` mean what they mean there."""

    forge: Forge
    remote: Remote
    artifact: Path
    trigger: Trigger
    bots: frozenset[str]
    environ: Mapping[str, str] = field(repr=False)
    reporter: Reporter
    cancel: Cancel
    clock: Clock
    policy: str | None = None
    must_pass: tuple[str, ...] = ()
    sandbox: str = "auto"


class Stopped(Exception):
    """It ends here, with this report. `state` is what the comment keeps from now on, None: what it kept before."""

    def __init__(self, report: BotReport, state: Mapping[str, str] | None = None) -> None:
        super().__init__(report.reason)
        self.report = report
        self.state = state


def refusal(work: Publication, asked: Asked, reason: str, sentence: str, advice: str) -> BotReport:
    """Return the report that nothing is published for this reason."""
    return BotReport(
        outcome=BotOutcome.REJECTED,
        issue=work.trigger.issue,
        reason=reason,
        sentence=sentence,
        advice=advice,
        branch=asked.place.branch,
    )


def refusal_of_run(work: Publication, asked: Asked, report: RunReport) -> BotReport:
    """Return the report on a run that did not verify anything."""
    outcome = BotOutcome.NO_CHANGE if report.outcome is Outcome.NO_CHANGE else BotOutcome.REJECTED
    return BotReport(
        outcome=outcome,
        issue=work.trigger.issue,
        branch=asked.place.branch,
        code=report.exit_code,
        **of_run(report),
    )
