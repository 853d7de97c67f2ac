"""How the issue bot's work ended, for the log of a job and for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from dev_agent.cli.output.page import Line, Page, Style, line, prose, span
from dev_agent.cli.pages.gates import gate_lines
from dev_agent.cli.pages.report import detail_lines, finding_lines, short
from dev_agent.forges.issue_report import BotOutcome, BotReport

_STYLES = {
    BotOutcome.PUBLISHED: Style.GOOD,
    BotOutcome.PROPOSED: Style.GOOD,
    BotOutcome.NO_CHANGE: Style.STRONG,
    BotOutcome.IGNORED: Style.STRONG,
    BotOutcome.REJECTED: Style.BAD,
    BotOutcome.FAILED: Style.BAD,
    BotOutcome.MOVED: Style.WARN,
}


def bot_page(report: BotReport) -> Page:
    """The page of `issue propose` and `issue publish`."""
    return Page(data=report.to_json(), lines=(*_body(report), *_closing(report)))


def _body(report: BotReport) -> Iterable[Line]:
    run = report.run
    if run is None:
        return
    findings = [one for one in run.policy.get("findings") or () if one.get("verdict") in {"ask", "deny"}]
    blocks = (
        detail_lines(run),
        tuple(gate_lines(run.gates, details=report.outcome is BotOutcome.REJECTED)),
        tuple(finding_lines(findings)),
    )
    for block in blocks:
        if block:
            yield from block
            yield line("")


def _closing(report: BotReport) -> Iterable[Line]:
    lead = span(f"{report.outcome.value.replace('_', ' ').capitalize()}: ", _STYLES[report.outcome])
    said = [
        part.split("\n")[0].rstrip(" .") for part in (_fact(report), report.sentence, report.advice) if part
    ]
    sentence = ". ".join(part[0].upper() + part[1:] if at else part for at, part in enumerate(said))
    yield from prose(sentence, lead=(lead,))
    if report.comment_url:
        yield line(span("told at ", Style.DIM), span(report.comment_url, Style.NAME))


def _fact(report: BotReport) -> str:
    if report.outcome is BotOutcome.PUBLISHED:
        return f"pull request #{report.pull_request} is at {short(report.commit)} on {report.branch}"
    if report.outcome is BotOutcome.PROPOSED:
        return f"the change for #{report.issue} passed; publish it with: dev-agent issue publish {report.artifact}"
    return f"#{report.issue}" if report.issue is not None and not report.sentence else ""
