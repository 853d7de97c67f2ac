"""Why a text edit has no place in its file, said with what its author needs to correct it.

A refusal is raised where nothing else can be done, and returned where the caller still has another way to try.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.elision import placeholders
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.explain import Explainer, Nearest, quoted_lines, without_viewer_numbers
from dev_agent.edits.matching import MANY, Found, Haystack, Place
from dev_agent.edits.refused import Refused
from dev_agent.edits.sides import Sides
from dev_agent.edits.text import FileText, Line, escaped

_STRICT: Final = (MatchLevel.EXACT, MatchLevel.WHITESPACE)
_EXPLAINED: Final = 200
"""After so many misfits of one file the nearest lines are no longer looked up."""


class Misfits:
    """Finds faults with the edits of one file. `path` is for messages, escaped and quoted already."""

    def __init__(self, file: FileText, path: str, haystack: Haystack, max_level: MatchLevel) -> None:
        self._file, self._path, self._haystack, self._max_level = file, path, haystack, max_level
        self._explainer = Explainer(file)
        self._explained = 0

    def require_encodable(self, text: str) -> None:
        """Refuse text that the file's encoding cannot hold."""
        if not self._file.utf8 and not text.isascii():
            raise Refused(
                ProblemCode.ENCODING,
                f"{self._path} is not UTF-8, and the edit is not plain ASCII",
                "edit only lines that are plain ASCII, or convert the file first",
            )

    def refuse_placeholder(self, old: str, new: Sequence[Line]) -> None:
        """Refuse new lines that write a placeholder for code, unless it was there before."""
        written = placeholders(content for content, _ in new)
        if not written:
            return
        known = {line.strip() for line in old.split("\n")}
        found = next(
            (each for each in written if each not in known and each not in self._own_placeholders), None
        )
        if found is not None:
            raise Refused(
                ProblemCode.ELISION,
                f"the replacement writes the placeholder '{escaped(found)}' into {self._path}",
                "write out the lines it stands for, or edit only the lines that change",
            )

    @cached_property
    def _own_placeholders(self) -> frozenset[str]:
        """The file's own lines that read like placeholders."""
        return frozenset(placeholders(content for content, _ in self._file.lines))

    def refuse_repetition(self, sides: Sides, place: Place) -> None:
        """Refuse a pure insertion next to an anchor where the inserted lines stand already."""
        if len(sides.new) <= len(sides.old) or not sides.substantive:
            return
        new = [content.strip() for content, _ in sides.new]
        for start in {place.start, place.end - len(new)} - set(range(-len(new), 0)):
            if [content.strip() for content, _ in self._file.lines[start : start + len(new)]] == new:
                raise self._applied(start)

    def require_allowed(self, sought: Sequence[Line], level: MatchLevel, place: Place) -> None:
        """Refuse a match more lenient than policy lets pass."""
        if level > self._max_level:
            raise Refused(
                ProblemCode.LEVEL_CAPPED,
                f"the lines fit {self._path} only by a {level.name} match (line {place.start + 1});"
                f" at most {self._max_level.name} is allowed",
                "quote the lines exactly",
                nearest=self._nearest(sought),
            )

    def not_found(self, sides: Sides, stated: int | None = None) -> Refused:
        """Return why nothing fits: it is there already, or the lines that come nearest."""
        if sides.new and sides.akin:
            there = self._haystack.find(sides.new, hint=None, levels=_STRICT)
            if there is not None and there.chosen is not None:
                return self._applied(there.chosen.start)
        hint = "quote the lines as they stand in the file"
        bare = without_viewer_numbers(sides.old)
        if bare is not None:
            hint = (
                "you may be pasting line numbers: leave out the numbers that a viewer puts before the lines"
            )
        message = f"{quoted_lines(sides.old)} cannot be found in {self._path}"
        return Refused(ProblemCode.NOT_FOUND, message, hint, nearest=self._nearest(bare or sides.old, stated))

    def ambiguous(self, sides: Sides, found: Found) -> Refused:
        """Return the refusal of lines that stand at several places."""
        numbers = [str(place.start + 1) for place in found.places[:MANY]]
        more = " and more" if len(found.places) >= MANY else ""
        return Refused(
            ProblemCode.AMBIGUOUS,
            f"{self._path} has {len(numbers)}{more} places that fit {quoted_lines(sides.old)}:"
            f" lines {', '.join(numbers)}{more}",
            "quote more lines around it, until only one place fits",
            nearest=tuple(
                (place.start + 1, escaped(self._file.lines[place.start][0])) for place in found.places[:5]
            ),
        )

    def _applied(self, start: int) -> Refused:
        return Refused(
            ProblemCode.ALREADY_APPLIED,
            f"the replacement already stands in {self._path} at line {start + 1}",
            "leave this edit out; if the lines are wanted twice, quote the lines that follow too",
            applied=True,
        )

    def _nearest(self, sought: Sequence[Line], stated: int | None = None) -> Nearest:
        self._explained += 1
        return self._explainer.nearest(sought, stated) if self._explained <= _EXPLAINED else ()
