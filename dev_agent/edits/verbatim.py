"""Find verbatim text, which may begin and end inside a line.

Rules kept here:
- It must occur exactly once, overlapping occurrences counted.
- A file's text is put together once, however many edits seek in it, and what all of them may look through is bounded.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.fit import Fit
from dev_agent.edits.matching import MANY, Exhausted, Place
from dev_agent.edits.model import ReplaceText
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, escaped, split_lines

_BUDGET: Final = 10_000_000_000
"""So many characters of one file may be looked through: a thousand edits of the largest file."""


class Verbatim:
    """The text of one file, with LF at the end of every line. `path` is for messages."""

    def __init__(self, file: FileText, path: str, *, budget: int = _BUDGET) -> None:
        self._file, self._path, self._budget = file, path, budget
        self._known: tuple[str, list[int]] | None = None

    def fit(self, edit: ReplaceText) -> Fit | None:
        """Return the fit of an edit, None if its text does not occur.

        Raises Refused if it occurs twice, and Exhausted.
        """
        text, starts = self._text()
        old, new = edit.old.replace("\r\n", "\n"), edit.new.replace("\r\n", "\n")
        found = self._occurrences(text, old)
        if not found:
            return None
        if len(found) > 1:
            raise self._ambiguous(old, [bisect_right(starts, each) - 1 for each in found])
        lines = self._file.lines
        first = bisect_right(starts, found[0]) - 1
        end = found[0] + len(old)
        last = bisect_right(starts, end) - 1
        replacement = text[starts[first] : found[0]] + new
        if end != starts[last] or (replacement and not replacement.endswith("\n")):
            after = min(last + 1, len(lines))
            replacement += text[end : starts[last + 1]] if last < len(lines) else ""
        else:
            after = last
        crlf = any(line_end == "\r\n" for _, line_end in lines[first:after])
        return Fit(
            place=Place(start=first, end=after),
            old=list(lines[first:after]),
            new=split_lines(replacement),
            level=MatchLevel.WHITESPACE
            if crlf and "\n" in old and "\r\n" not in edit.old
            else MatchLevel.EXACT,
        )

    def _text(self) -> tuple[str, list[int]]:
        """Return the text and where in it each line begins."""
        if self._known is None:
            lines = self._file.lines
            text = "".join(content + ("\n" if end else "") for content, end in lines)
            self._known = text, list(accumulate((len(content) + 1 for content, _ in lines), initial=0))
        return self._known

    def _occurrences(self, text: str, old: str) -> list[int]:
        self._budget -= len(text)
        if self._budget < 0:
            raise Exhausted
        found: list[int] = []
        at = text.find(old)
        while at >= 0 and len(found) < MANY:
            found.append(at)
            at = text.find(old, at + 1)
        return found

    def _ambiguous(self, old: str, lines: list[int]) -> Refused:
        numbers = ", ".join(str(line + 1) for line in lines)
        more = " and more" if len(lines) >= MANY else ""
        return Refused(
            ProblemCode.AMBIGUOUS,
            f"'{escaped(old)}' occurs {len(lines)}{more} times in {self._path}: lines {numbers}{more}",
            "quote more text around it, until it occurs once",
            nearest=tuple((line + 1, escaped(self._file.lines[line][0])) for line in lines[:5]),
        )
