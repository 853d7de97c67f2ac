"""What edits come to: where each went, and every path before and after.

A change set holds only changes that change something, sorted by path, one per path.
"""

from __future__ import annotations

from enum import IntEnum

from dev_agent.values import dataclass


class MatchLevel(IntEnum):
    """How much leniency finding a place took. Policy may cap it."""

    EXACT = 0
    WHITESPACE = 1
    INDENT = 2
    UNICODE = 3
    ELLIPSIS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where one text edit went: base line (1-based), the ladder's level, how many places fitted there.

    `count` is 1 unless a line number chose between several places.
    """

    path: str
    level: MatchLevel
    line: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path before and after. `before` None: added; `after` None: deleted."""

    path: str
    before_mode: str | None
    before: bytes | None
    after_mode: str | None
    after: bytes | None

    @property
    def is_empty(self) -> bool:
        """True if nothing differs."""
        return (self.before_mode, self.before) == (self.after_mode, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What a proposal does to the base tree.

    Changes that change nothing are dropped; the rest is sorted by path.
    """

    changes: tuple[Change, ...]
    matches: tuple[Match, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kept = sorted(
            (change for change in self.changes if not change.is_empty), key=lambda change: change.path
        )
        if len({change.path for change in kept}) != len(kept):
            raise ValueError("BUG: a change set names one path twice")
        object.__setattr__(self, "changes", tuple(kept))

    @property
    def empty(self) -> bool:
        """True if the base tree stays as it is."""
        return not self.changes
