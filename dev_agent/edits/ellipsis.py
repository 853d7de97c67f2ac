"""The last rung of the ladder: `...` alone on a line stands for lines that are left as they are.

SEARCH and REPLACE must have the same number of such lines, so that the pieces between them pair one to one.
Each piece must stand at exactly one place, and the places must follow each other. A file in which `...` is
code is matched by the stricter levels first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.matching import Found, Haystack
from dev_agent.edits.text import Line
from dev_agent.values import dataclass

_LEVELS: Final = tuple(level for level in MatchLevel if level < MatchLevel.ELLIPSIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of lines between two `...`, what replaces it, and where it was found."""

    old: tuple[Line, ...]
    new: tuple[Line, ...]
    found: Found


def pieces(haystack: Haystack, old: Sequence[Line], new: Sequence[Line]) -> tuple[Piece, ...]:
    """Return the pieces of an elided block in order; empty if they do not pair or have not one place each."""
    olds, news = _cut(old), _cut(new)
    if len(olds) < 2 or len(olds) != len(news):
        return ()
    paired: list[Piece] = []
    after = 0
    for old_piece, new_piece in zip(olds, news, strict=True):
        if not old_piece and not new_piece:
            continue
        found = haystack.find(old_piece, hint=None, levels=_LEVELS) if old_piece else None
        if found is None or found.chosen is None or found.chosen.start < after:
            return ()
        after = found.chosen.end
        paired.append(Piece(old=old_piece, new=new_piece, found=found))
    return tuple(paired)


def _cut(lines: Sequence[Line]) -> list[tuple[Line, ...]]:
    pieces_: list[list[Line]] = [[]]
    for line in lines:
        if line[0].strip() == "...":
            pieces_.append([])
        else:
            pieces_[-1].append(line)
    return [tuple(piece) for piece in pieces_]
