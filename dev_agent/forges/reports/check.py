"""A judged merge as one check run on the head. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.forges.check_runs import CheckReport, CheckStatus
from dev_agent.forges.reports.annotations import annotations_of
from dev_agent.forges.reports.markdown import summary_of
from dev_agent.forges.reports.remarks import remarks_of
from dev_agent.forges.reports.verdict import conclusion_of

if TYPE_CHECKING:
    from dev_agent.forges.reports.lines import HeadLines
    from dev_agent.programs.merge_report import MergeReport

NAME = "dev-agent/verify"
"""Fixed, so that a branch protection can require it."""


def check_of(report: MergeReport, lines: HeadLines, *, details_url: str = "") -> CheckReport:
    """The check run; annotations beyond the host's batch size are for the sender to split."""
    judged = conclusion_of(report)
    return CheckReport(
        name=NAME,
        status=CheckStatus.COMPLETED,
        conclusion=judged.conclusion,
        title=judged.title,
        summary=summary_of(report),
        external_id=report.run.run,
        details_url=details_url,
        annotations=annotations_of(remarks_of(report), lines),
    )
