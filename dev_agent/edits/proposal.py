"""What a parser hands back, and the fences that prose puts around edits.

Shared by all parsers, knows none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dev_agent.edits.model import Edit

_FENCE: Final = re.compile(r"^(`{3,}|~{3,})[ \t]*(.*?)[ \t]*\r?$")
_TAG: Final = re.compile(r"^</?(?:source|code|pre|codeblock|sourcecode)>[ \t]*\r?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A parsed proposal: typed edits in the order of the text, the format's name, remarks for the author."""

    edits: tuple[Edit, ...]
    format: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One parser's result. `used` are the [start, end) line ranges (0-based) it understood as edits."""

    edits: tuple[Edit, ...]
    used: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()


class Format(Protocol):
    """One edit format. Lines come without LF; a CR before it is still there."""

    def find(self, lines: Sequence[str], start: int) -> int | None:
        """Return the first line, at or after `start`, on which an edit of this format surely begins."""
        ...

    def parse(self, lines: Sequence[str]) -> Parsed:
        """Parse all edits of this format. Raises ParseError at the first malformed one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """An opening Markdown fence: its character, length, and the words after it."""

    character: str
    length: int
    info: str


def fence_at(line: str) -> Fence | None:
    """Return the fence a line opens or closes, None if it is no fence.

    Only column one counts: diffs indent content.
    """
    found = _FENCE.match(line)
    if found is None:
        return None
    marks, info = found.groups()
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
