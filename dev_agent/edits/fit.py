"""Fit the edits that name their own place: whole lines after a line number, and verbatim text.

Rules kept here:
- A line number counts lines of the base file; one beyond its end is refused.
- Verbatim text may begin and end inside a line. It must occur exactly once, overlapping occurrences counted.
- Inserted lines take the line end of their neighbour; a file without final newline keeps lacking it.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.matching import MANY, Place
from dev_agent.edits.model import Insert, ReplaceText
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, Line, escaped, split_lines
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where an edit goes, what stands there, and what comes there. `splice_level` as `splices` wants it."""

    place: Place
    old: list[Line]
    new: list[Line]
    level: MatchLevel = MatchLevel.EXACT
    splice_level: MatchLevel = MatchLevel.WHITESPACE


def inserted(file: FileText, at: int, new: list[Line], level: MatchLevel = MatchLevel.EXACT) -> Fit:
    """Return the fit of whole lines put before 0-based base line `at`."""
    line_end = file.line_end_at(at)
    ended = [(content, line_end) for content, _ in new]
    if ended and at == len(file.lines) and file.lines and not file.lines[-1][1]:
        ended[-1] = (ended[-1][0], "")
    return Fit(place=Place(start=at, end=at), old=[], new=ended, level=level, splice_level=MatchLevel.EXACT)


def insertion(file: FileText, path: str, edit: Insert) -> Fit:
    """Return the fit of an `Insert`. `path` is for messages. Raises Refused."""
    count = len(file.lines)
    at = count if edit.after is None else edit.after
    if not 0 <= at <= count:
        raise Refused(
            ProblemCode.NO_PLACE,
            f"{path} has {count} lines; nothing can be inserted after line {at}",
            f"name a line from 0 (the top) to {count}",
        )
    return inserted(file, at, split_lines(edit.text))


def verbatim(file: FileText, path: str, edit: ReplaceText) -> Fit | None:
    """Return the fit of a `ReplaceText`, None if its text does not occur. Raises Refused if it does twice."""
    text = "".join(content + ("\n" if end else "") for content, end in file.lines)
    old, new = edit.old.replace("\r\n", "\n"), edit.new.replace("\r\n", "\n")
    starts = list(accumulate((len(content) + 1 for content, _ in file.lines), initial=0))
    found: list[int] = []
    at = text.find(old)
    while at >= 0 and len(found) < MANY:
        found.append(at)
        at = text.find(old, at + 1)
    if not found:
        return None
    if len(found) > 1:
        raise _ambiguous(file, path, old, [bisect_right(starts, each) - 1 for each in found])
    first = bisect_right(starts, found[0]) - 1
    end = found[0] + len(old)
    last = bisect_right(starts, end) - 1
    replacement = text[starts[first] : found[0]] + new
    if end != starts[last] or (replacement and not replacement.endswith("\n")):
        after = min(last + 1, len(file.lines))
        replacement += text[end : starts[last + 1]] if last < len(file.lines) else ""
    else:
        after = last
    crlf = any(line_end == "\r\n" for _, line_end in file.lines[first:after])
    return Fit(
        place=Place(start=first, end=after),
        old=list(file.lines[first:after]),
        new=split_lines(replacement),
        level=MatchLevel.WHITESPACE if crlf and "\n" in old and "\r\n" not in edit.old else MatchLevel.EXACT,
    )


def _ambiguous(file: FileText, path: str, old: str, lines: list[int]) -> Refused:
    numbers = ", ".join(str(line + 1) for line in lines)
    more = " and more" if len(lines) >= MANY else ""
    return Refused(
        ProblemCode.AMBIGUOUS,
        f"'{escaped(old)}' occurs {len(lines)}{more} times in {path}: lines {numbers}{more}",
        "quote more text around it, until it occurs once",
        nearest=tuple((line + 1, escaped(file.lines[line][0])) for line in lines[:5]),
    )
