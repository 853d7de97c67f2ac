"""What the doctor found, and what to do about each lack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Fit, Line, Page, Style, count, line, prose, span

if TYPE_CHECKING:
    from dev_agent.programs.finding import Finding

_STYLES = {"ok": Style.GOOD, "warn": Style.WARN, "lack": Style.BAD}


def doctor_page(findings: tuple[Finding, ...]) -> Page:
    """One line a topic, the remedy under it where something is wrong."""
    lacks = sum(one.status == "lack" for one in findings)
    warnings = sum(one.status == "warn" for one in findings)
    data = {
        "ready": lacks == 0,
        "findings": [
            {"topic": one.topic, "status": one.status, "detail": one.detail, "remedy": one.remedy}
            for one in findings
        ],
    }
    if lacks:
        end = prose(f"{count(lacks, 'thing')} missing; see above.", lead=(span("Not ready: ", Style.BAD),))
    elif warnings:
        end = prose(f"{count(warnings, 'remark')} above.", lead=(span("Ready, ", Style.GOOD),))
    else:
        end = prose("everything is in place.", lead=(span("Ready: ", Style.GOOD),))
    return Page(data=data, lines=(*_rows(findings), line(""), *end))


def _rows(findings: tuple[Finding, ...]) -> Iterable[Line]:
    width = max((len(one.topic) for one in findings), default=0)
    for one in findings:
        lead = (
            span(f"{one.status:<4}", _STYLES.get(one.status, Style.PLAIN)),
            span(f"  {one.topic:<{width}}  "),
        )
        for position, text in enumerate(prose(one.detail, lead=lead)):
            yield _hanging(text, width + 8) if position == 0 else _indented(text, width + 8)
        if one.remedy:
            for text in prose(one.remedy, style=Style.NAME, indent=width + 8):
                yield text


def _hanging(text: Line, indent: int) -> Line:
    return Line(spans=text.spans, indent=indent, fit=Fit.WRAP)


def _indented(text: Line, indent: int) -> Line:
    return Line(spans=(span(" " * indent), *text.spans), indent=indent, fit=Fit.WRAP)
