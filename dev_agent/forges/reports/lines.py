"""From lines of a merge to lines of its head, where the host shows a remark: they differ where the base moved a file.

Pure: two texts in, a map out. A line of the merge that the head does not have has no place there, and gets none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from difflib import SequenceMatcher

from dev_agent.values import dataclass

_MOST_LINES = 20_000
"""Lines of a file above which lines are not followed: matching takes more than their number in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadLines:
    """The head's files as far as they matter. `same`: paths it has exactly as the merge; `moved`: line → its line."""

    same: frozenset[str]
    moved: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def line_of(self, path: str, line: int | None) -> int | None:
        """The head's line for a line of the merge (None: the file as a whole, told on line 1); None if it has none."""
        if path in self.same:
            return line or 1
        if path not in self.moved:
            return None
        return 1 if line is None else self.moved[path].get(line)


def follow(merged: bytes, head: bytes) -> dict[int, int]:
    """Which line of `head` every line of `merged` is, for those that are there; lines count from 1."""
    ours, theirs = merged.splitlines(), head.splitlines()
    if max(len(ours), len(theirs)) > _MOST_LINES:
        return {}
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        found.update({block.a + at + 1: block.b + at + 1 for at in range(block.size)})
    return found
