"""The end of a judged merge and of a judged push, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Line, Page, Style, line, prose, span
from dev_agent.cli.pages.report import report_page, short

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport
    from dev_agent.programs.pre_receive import Answer, PushReport

_MOST_PATHS = 20


def merge_page(report: MergeReport, notes: tuple[str, ...] = ()) -> Page:
    """What was merged, the run's page, and what the verdict is not about."""
    return Page(
        data={**report.to_json(), "reported": list(notes)},
        lines=(*_ends(report), *_own_judge(report), *report_page(report.run).lines, *_after(report, notes)),
    )


def push_page(report: PushReport) -> Page:
    """One block an update, the refused ones with all that is wrong."""
    lines = [one for answer in report.answers for one in _answer(answer)]
    lines += [one for note in report.notes for one in prose(note, style=Style.DIM)]
    return Page(data=report.to_json(), lines=tuple(lines))


def _ends(report: MergeReport) -> Iterable[Line]:
    names = report.merging
    yield line(
        span("merge of "),
        span(names.head_name, Style.NAME),
        span(f" ({short(report.head)}) into "),
        span(names.base_name, Style.NAME),
        span(f" ({short(report.base)})"),
    )
    for path in report.conflicts[:_MOST_PATHS]:
        yield line(span("conflict  ", Style.BAD), span(path), indent=2)
    if len(report.conflicts) > _MOST_PATHS:
        yield line(span(f"… and {len(report.conflicts) - _MOST_PATHS} more", Style.DIM), indent=2)
    yield line("")


def _own_judge(report: MergeReport) -> Iterable[Line]:
    if not report.own_judge:
        return
    yield from prose("This head changes what judges this project; it changed nothing about this judgement:")
    for finding in report.own_judge:
        paths = dict.fromkeys(str(one.get("path", "")) for one in finding.get("places") or ())
        yield from prose(f"{finding.get('because', '')} {', '.join(paths)}", indent=2, style=Style.WARN)
    yield line("")


def _after(report: MergeReport, notes: tuple[str, ...]) -> Iterable[Line]:
    if report.superseded:
        yield from prose(f"{report.superseded}; judge that one", lead=(span("Superseded: ", Style.WARN),))
    for note in notes:
        yield from prose(note, style=Style.DIM)


def _answer(answer: Answer) -> Iterable[Line]:
    word = span("accepted  ", Style.GOOD) if answer.accepted else span("REFUSED  ", Style.BAD)
    update = answer.update
    yield line(
        span("dev-agent  "),
        word,
        span(update.name, Style.NAME),
        span(f"  {short(update.old) or 'new'} -> {short(update.new) or 'deleted'}"),
    )
    if answer.accepted:
        return
    yield from prose(answer.reason, indent=2)
    if answer.report is not None:
        body = report_page(answer.report.run).lines
        yield from (one for one in body[:-1] if one.text.strip())
    if answer.remedy:
        yield from prose(answer.remedy, indent=2, lead=(span("what to do: ", Style.STRONG),))
