"""What parsers are given and hand back, and the fences that prose puts around edits.

Shared by all parsers, knows none of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final, Protocol

from dev_agent.edits.model import Edit
from dev_agent.values import dataclass

_FENCE: Final = re.compile(r"^(`{3,}|~{3,})(.*)$")
_TAG: Final = re.compile(r"^</?(?:source|code|pre|codeblock|sourcecode)>[ \t]*\r?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A parsed proposal: typed edits in the order of the text, the formats' names, remarks for the author."""

    edits: tuple[Edit, ...]
    format: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """An opening Markdown fence: its character, length, and the words after it."""

    character: str
    length: int
    info: str


class Page:
    """The text of a proposal, as lines without LF (a CR before it is still there) and as one string."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.json_read: dict[int, object] = {}
        """What `jsondoc.py` found on a line, because several formats ask about it."""
        self.json_cost = 0
        self._answers: dict[re.Pattern[str], bool] = {}

    @cached_property
    def text(self) -> str:
        """All lines, joined by LF."""
        return "\n".join(self.lines)

    @cached_property
    def offsets(self) -> list[int]:
        """Where in `text` each line begins."""
        return list(accumulate((len(line) + 1 for line in self.lines), initial=0))

    def has_line(self, pattern: re.Pattern[str]) -> bool:
        """Return whether any line begins with `pattern`. All lines are read at most once for each pattern."""
        if pattern not in self._answers:
            self._answers[pattern] = any(map(pattern.match, self.lines))
        return self._answers[pattern]

    def line_of(self, offset: int) -> int:
        """Return the 0-based line that holds the character at `offset` of `text`."""
        return bisect_right(self.offsets, offset) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file name, the 1-based line it stands on, and whether it can hardly be anything else."""

    path: str
    line: int
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stretch of a page understood as edits. `end` is the 0-based line after it.

    `named` is the file it was about, where a part that follows directly may leave the name out.
    """

    end: int
    edits: tuple[Edit, ...]
    notes: tuple[str, ...] = ()
    named: Named | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where a part may begin: its 0-based line, the open fence around it, the part before it."""

    page: Page
    at: int
    fence: Fence | None = None
    before: Part | None = None


class Format(Protocol):
    """One edit format."""

    def begins(self, here: Here) -> bool:
        """Return whether an edit of this format surely begins here."""
        ...

    def read(self, here: Here) -> Part:
        """Read the edits that begin here. Raises ParseError if they are malformed or cut off."""
        ...

    def refuse_near_miss(self, here: Here) -> None:
        """Raise ParseError if this line, on which no edit begins, can only be a failed attempt at one."""
        ...


def fence_at(line: str) -> Fence | None:
    """Return the fence a line opens or closes, None if it is no fence.

    Only column one counts: diffs indent content.
    """
    found = _FENCE.match(line)
    if found is None:
        return None
    marks, after = found.groups()
    info = after.removesuffix("\r").strip(" \t")
    if marks[0] == "`" and "`" in info:
        return None
    return Fence(character=marks[0], length=len(marks), info=info)


def closes(line: str, opening: Fence | None) -> bool:
    """Return whether `line` closes the fence `opening`."""
    fence = fence_at(line)
    if opening is None or fence is None:
        return False
    return fence.character == opening.character and fence.length >= opening.length and not fence.info


def is_tag_fence(line: str) -> bool:
    """Return whether the line is one of the tags that models use in place of a Markdown fence."""
    return _TAG.match(line) is not None
