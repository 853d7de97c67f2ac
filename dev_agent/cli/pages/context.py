"""What a model would be shown for a task, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Fit, Line, Page, Span, Style, count, line, prose, quotation, span, table
from dev_agent.programs.paths import to_recorded

if TYPE_CHECKING:
    from dev_agent.context.excerpts import Excerpt
    from dev_agent.context.model import Ranked, Section
    from dev_agent.programs.briefing import Brief, FirstView
    from dev_agent.programs.repository_map import ContextReport


def context_page(view: FirstView, *, full: bool = False) -> Page:
    """A row of reasons a file, the map and the texts of files as a model sees them, and closing lines with the counts.

    On a terminal the texts of files are in it only if it is to be `full`.
    """
    return Page(data=_data(view), lines=tuple(_lines(view, full=full)))


def rank_page(report: ContextReport) -> Page:
    """One path a line, best first."""
    data = {"base": report.base, "ranked": [to_recorded(one.path) for one in report.ranked]}
    return Page(
        data=data,
        lines=tuple(Line(spans=(span(one.path, Style.NAME),), fit=Fit.WHOLE) for one in report.ranked),
    )


def _lines(view: FirstView, *, full: bool) -> Iterable[Line]:
    if not view.map.sections:
        yield from prose(
            "Nothing in the repository speaks for any file: no word, name or history fits the task."
        )
        return
    yield from _table("", "file", "tokens", "score", "because", rows=map(_row, view.map.sections))
    yield line("")
    yield from quotation(view.map.text.rstrip("\n"))
    yield line("")
    yield from prose(_closing(view))
    if view.files.excerpts:
        yield line("")
        yield from _table("", "text", "lines", "tokens", "because", rows=map(_text_row, view.files.excerpts))
        yield line("")
        if full:
            yield from quotation(view.files.text.rstrip("\n"))
            yield line("")
        yield from prose(_closing_files(view.files, full=full))


def _table(*titles: str, rows: Iterable[tuple[Span, ...]]) -> tuple[Line, ...]:
    return table([tuple(span(title, Style.DIM) for title in titles), *rows])


def _text_row(excerpt: Excerpt) -> tuple[Span, ...]:
    lines = "whole" if excerpt.whole else f"{excerpt.first}–{excerpt.last} in parts"
    redacted = f", {count(excerpt.redacted, 'line')} redacted" if excerpt.redacted else ""
    return (
        span(""),
        span(excerpt.path, Style.NAME),
        span(lines),
        span(str(excerpt.tokens)),
        span(f"{excerpt.why}{redacted}", Style.DIM),
    )


def _closing_files(files: Brief, *, full: bool) -> str:
    said = [f"{count(len(files.excerpts), 'text')} of files, about {files.tokens} of {files.budget} tokens"]
    said += [f"{one.what} not shown: {one.detail}" for one in files.refused]
    return "; ".join([*said, *([] if full else ["read them with --full"])]) + "."


def _row(section: Section) -> tuple[Span, ...]:
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


def _closing(first: FirstView) -> str:
    view = first.report.view
    shown = f"{count(len(view.sections), 'file')} of {first.report.files} shown"
    said = [f"{shown}, about {first.map.tokens} of {first.map.budget} tokens"]
    if view.left_out:
        said.append(f"{view.left_out} more ranked but left out")
    if view.withheld:
        said.append(f"{count(view.withheld, 'file')} withheld (environments, keys, credentials)")
    redacted = sum(section.redacted for section in view.sections)
    if redacted:
        said.append(f"{count(redacted, 'line')} redacted")
    return "; ".join(said) + "."


def _data(first: FirstView) -> dict[str, Any]:
    report, view = first.report, first.report.view
    return {
        "base": report.base,
        "files": report.files,
        "budget": first.map.budget,
        "tokens": first.map.tokens,
        "left_out": view.left_out,
        "withheld": view.withheld,
        "map": first.map.text,
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
        "texts": {
            "budget": first.files.budget,
            "tokens": first.files.tokens,
            "excerpts": [_excerpt(one) for one in first.files.excerpts],
            "refused": [
                {"what": one.what, "reason": one.reason.value, "detail": one.detail}
                for one in first.files.refused
            ],
        },
    }


def _excerpt(one: Excerpt) -> dict[str, Any]:
    return {
        "path": to_recorded(one.path),
        "first": one.first,
        "last": one.last,
        "lines": one.lines,
        "whole": one.whole,
        "tokens": one.tokens,
        "why": one.why,
        "redacted": one.redacted,
        "text": one.text,
    }


def _reasons(ranked: Ranked) -> dict[str, Any]:
    return {"path": to_recorded(ranked.path), "score": ranked.score, "parts": dict(ranked.parts)}
