"""What an edit that names its own place comes to; and the fit of whole lines after a line number.

Rules kept here:
- A line number counts lines of the base file; one beyond its end is refused.
- Inserted lines take the line end of their neighbour; a file without final newline keeps lacking it.
"""

from __future__ import annotations

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.matching import Place
from dev_agent.edits.model import Insert
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, Line, split_lines
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
