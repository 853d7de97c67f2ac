"""Remarks on lines of the head, as a code host shows them beside the code. Pure.

A remark whose line the head does not have is not put on another one: it stands in the summary only. Annotations are
plain text to the host; what does not show comes out as its visible escape.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dev_agent.forges.check_runs import Annotation, AnnotationLevel
from dev_agent.forges.reports.remarks import Remark, Weight
from dev_agent.forges.text import cut, title
from dev_agent.visible import escape_line, escape_lines

if TYPE_CHECKING:
    from dev_agent.forges.reports.lines import HeadLines

MOST = 500
"""Annotations of one report; ten requests. The summary says how many there are."""

_LEVELS = {
    Weight.FAILURE: AnnotationLevel.FAILURE,
    Weight.WARNING: AnnotationLevel.WARNING,
    Weight.NOTE: AnnotationLevel.NOTICE,
}
_LONGEST = 60_000
"""The host takes 64 KB of a message and of details, counted in bytes; four of them may be one character."""


def annotations_of(remarks: Iterable[Remark], lines: HeadLines) -> tuple[Annotation, ...]:
    """The annotations of the remarks that have a line in the head, worst first, at most `MOST`."""
    placed = [
        (remark, line)
        for remark in remarks
        if _is_text(remark.path) and (line := lines.line_of(remark.path, remark.line)) is not None
    ]
    order = list(Weight)
    placed.sort(key=lambda one: order.index(one[0].weight))
    return tuple(_annotation(remark, line) for remark, line in placed[:MOST])


def _is_text(path: str) -> bool:
    """False for a path that is not Unicode: the host has no way to name it."""
    return bool(path) and not any("\ud800" <= character <= "\udfff" for character in path)


def _annotation(remark: Remark, line: int) -> Annotation:
    named = f"{remark.gate}: {remark.rule.partition('/')[2]}"
    detail = "\n".join(escape_lines(remark.detail)) if remark.detail else ""
    return Annotation(
        path=remark.path,
        start_line=line,
        end_line=line,
        level=_LEVELS[remark.weight],
        title=title(cut(named, 500)),
        message=cut(escape_line(remark.message), _LONGEST // 4) or "failed",
        raw_details=cut(detail, _LONGEST // 4),
    )
