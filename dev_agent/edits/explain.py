"""Help the author of an edit that does not fit: the nearest real lines, and the usual reasons.

Cost per question is bounded (a few votes and at most five ratio computations), because a proposal can have a
thousand edits that do not fit a file of twenty thousand lines.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from dev_agent.edits.text import FileText, Line, escaped

Nearest = tuple[tuple[int, str], ...]
_VIEWER: Final = re.compile(r"^[ \t]*(\d{1,7})(?:[ \t]*[|│→]|:|\t)[ \t]?")
_WORD: Final = re.compile(r"\w{3,60}")
_SHOWN: Final = 5
_SOUGHT: Final = 40
_POSITIONS: Final = 10


class Explainer:
    """Answers for one base file; its indexes are made at the first question."""

    def __init__(self, file: FileText) -> None:
        self._lines = [content.strip() for content, _ in file.lines]
        self._shown = [content for content, _ in file.lines]

    @cached_property
    def _by_line(self) -> dict[str, list[int]]:
        index: defaultdict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(self._lines):
            if len(line) >= 3 and len(index[line]) < _POSITIONS:
                index[line].append(at)
        return index

    @cached_property
    def _by_word(self) -> dict[str, list[int]]:
        index: defaultdict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(self._lines):
            for word in set(_WORD.findall(line[:400])):
                if len(index[word]) < _POSITIONS:
                    index[word].append(at)
        return index

    def nearest(self, sought: Sequence[Line], stated: int | None = None) -> Nearest:
        """Return the real lines closest to `sought`: (1-based number, escaped text), at most five.

        If nothing is like them, those at the line the proposal has `stated`, which is 1-based.
        """
        contents = [content.strip() for content, _ in sought[:_SOUGHT]]
        at = self._by_votes(contents)
        if at is None:
            at = self._by_likeness(contents)
        if at is None and stated is not None and 0 < stated <= len(self._lines):
            at = stated - 1
        if at is None:
            return ()
        return tuple(
            (number + 1, escaped(self._shown[number]))
            for number in range(at, min(at + _SHOWN, len(self._shown)))
        )

    def _by_votes(self, contents: Sequence[str]) -> int | None:
        """Let every line that exists vote for where the block would begin; return where it departs."""
        votes: Counter[int] = Counter()
        for offset, content in enumerate(contents):
            votes.update(at - offset for at in self._by_line.get(content, ()))
        if not votes:
            return None
        start = min(votes, key=lambda each: (-votes[each], each))
        for offset, content in enumerate(contents):
            if 0 <= start + offset < len(self._lines) and self._lines[start + offset] != content:
                return max(0, start + offset - 1)
        return max(0, start)

    def _by_likeness(self, contents: Sequence[str]) -> int | None:
        sought = next((content for content in contents if _WORD.search(content)), None)
        if sought is None:
            return None
        votes: Counter[int] = Counter()
        for word in sorted(set(_WORD.findall(sought[:400])))[:30]:
            votes.update(self._by_word.get(word, ()))
        best = sorted(votes, key=lambda at: (-votes[at], at))[:_SHOWN]
        rated = [(SequenceMatcher(None, self._lines[at][:120], sought[:120]).ratio(), -at) for at in best]
        if not rated or max(rated)[0] < 0.5:
            return None
        return max(0, -max(rated)[1] - 1)


def without_viewer_numbers(sought: Sequence[Line]) -> list[Line] | None:
    """Return the lines without a file viewer's line numbers (`  12 | x`, `12: x`, `cat -n`).

    None if the lines do not all carry consecutive numbers.
    """
    found = [(_VIEWER.match(content), content, end) for content, end in sought if content.strip()]
    numbers = [int(match.group(1)) for match, _, _ in found if match]
    if not numbers or len(numbers) != len(found) or numbers != sorted(set(numbers)):
        return None
    return [(content[match.end() :], end) for match, content, end in found if match]


def quoted_lines(sought: Sequence[Line]) -> str:
    """Return the first lines of a block for a message."""
    shown = [f"'{escaped(content)}'" for content, _ in sought if content.strip()][:3] or ["blank lines"]
    return ", ".join(shown) + (f" … ({len(sought)} lines)" if len(sought) > 3 else "")
