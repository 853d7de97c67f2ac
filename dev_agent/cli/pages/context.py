"""What a model would be shown for a task, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Fit, Line, Page, Style, count, line, prose, quotation, span, table
from dev_agent.programs.paths import to_recorded

if TYPE_CHECKING:
    from dev_agent.context.model import Ranked, Section
    from dev_agent.programs.repository_map import ContextReport


def context_page(report: ContextReport) -> Page:
    """A row of reasons a file, the map as a model would see it, and a closing line with the counts."""
    return Page(data=_data(report), lines=tuple(_lines(report)))


def rank_page(report: ContextReport) -> Page:
    """One path a line, best first."""
    data = {"base": report.base, "ranked": [to_recorded(one.path) for one in report.ranked]}
    return Page(
        data=data,
        lines=tuple(Line(spans=(span(one.path, Style.NAME),), fit=Fit.WHOLE) for one in report.ranked),
    )


def _lines(report: ContextReport) -> Iterable[Line]:
    view = report.view
    if not view.sections:
        yield from prose(
            "Nothing in the repository speaks for any file: no word, name or history fits the task."
        )
        return
    titles = tuple(span(title, Style.DIM) for title in ("", "file", "tokens", "score", "because"))
    rows = [titles, *(_row(section) for section in view.sections)]
    yield from table(rows)
    yield line("")
    for section in view.sections:
        yield from quotation(section.text.rstrip("\n"))
    yield line("")
    yield from prose(_closing(report))


def _row(section: Section) -> tuple[Any, ...]:
    return (
        span(f"{section.rank:>3}", Style.DIM),
        span(section.ranked.path, Style.NAME),
        span(str(section.tokens)),
        span(f"{section.ranked.score:.2f}"),
        span(_because(section), Style.DIM),
    )


def _because(section: Section) -> str:
    parts = [f"{name} {value:+.2f}" for name, value in section.ranked.parts.items()]
    if section.cut:
        parts.append(f"{count(section.cut, 'line')} cut")
    if section.redacted:
        parts.append(f"{count(section.redacted, 'line')} redacted")
    return ", ".join(parts)


def _closing(report: ContextReport) -> str:
    view = report.view
    shown = f"{count(len(view.sections), 'file')} of {report.files} shown"
    said = [f"{shown}, about {view.tokens} of {view.budget} tokens"]
    if view.left_out:
        said.append(f"{view.left_out} more ranked but left out")
    if view.withheld:
        said.append(f"{count(view.withheld, 'file')} withheld (environments, keys, credentials)")
    redacted = sum(section.redacted for section in view.sections)
    if redacted:
        said.append(f"{count(redacted, 'line')} redacted")
    return "; ".join(said) + "."


def _data(report: ContextReport) -> dict[str, Any]:
    view = report.view
    return {
        "base": report.base,
        "files": report.files,
        "budget": view.budget,
        "tokens": view.tokens,
        "left_out": view.left_out,
        "withheld": view.withheld,
        "sections": [
            {
                **_reasons(section.ranked),
                "rank": section.rank,
                "tokens": section.tokens,
                "cut": section.cut,
                "redacted": section.redacted,
                "text": section.text,
            }
            for section in view.sections
        ],
        "ranked": [to_recorded(one.path) for one in report.ranked],
    }


def _reasons(ranked: Ranked) -> dict[str, Any]:
    return {"path": to_recorded(ranked.path), "score": ranked.score, "parts": dict(ranked.parts)}
