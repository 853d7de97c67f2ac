"""What the type checker knows about the uses nobody else can see.

Two questions decide a use. With it left alone: a new complaint that something has no attribute of the old name says it
is ours. With it renamed: a new complaint about the new name says it is another's. Silence both times means that the
checker cannot see it either (untyped code), and it stays undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dev_agent.recipes.renaming.writing import edits_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dev_agent.recipes.model import Checker, Complaint, Rewritten
    from dev_agent.recipes.renaming.uses import FileUses, Use

_CODES = frozenset({"attr-defined", "union-attr", "call-arg", "name-defined", "misc", "call-overload"})
_MOST_ROUNDS = 12

Spot: TypeAlias = "tuple[str, Use]"


@dataclass(frozen=True, slots=True)
class Answer:
    """How the uses asked about were decided."""

    ours: frozenset[Spot]
    others: frozenset[Spot]


class Asking:
    """Asks a checker about uses. `build` makes the tree with all known uses renamed and these besides."""

    def __init__(
        self,
        checker: Checker,
        build: Callable[[Iterable[Spot]], Rewritten],
        files: Sequence[FileUses],
        old: str,
        new: str,
    ) -> None:
        self._checker, self._build, self._files = checker, build, {one.source.path: one for one in files}
        self._old, self._new = old, new

    def about(self, spots: Iterable[Spot], nothing: Rewritten) -> Answer:
        """Decide what can be decided. Raises CheckerFailed."""
        asked: set[Spot] = set(spots)
        ours: set[Spot] = set()
        others: set[Spot] = set()
        before = {(one.path, one.line, one.message) for one in self._checker(nothing)}
        # mypy says a thing once a line, and nothing about what follows an error: hence round after round.
        for _ in range(_MOST_ROUNDS):
            missed = self._named(self._new_ones(self._build(ours), before, self._old), asked - ours, ours)
            if not missed:
                break
            ours |= missed
        for _ in range(_MOST_ROUNDS):
            tried = asked - others
            strange = (
                self._named(self._new_ones(self._build(tried), before, self._new), tried - ours, tried)
                if tried - ours
                else set()
            )
            if not strange:
                break
            others |= strange
        return Answer(frozenset(ours), frozenset(others))

    def _new_ones(self, tree: Rewritten, before: set[tuple[str, int, str]], name: str) -> list[Complaint]:
        return [
            one
            for one in self._checker(tree)
            if one.code in _CODES
            and f'"{name}"' in one.message
            and (one.path, one.line, one.message) not in before
        ]

    def _named(self, complaints: Iterable[Complaint], spots: set[Spot], renamed: set[Spot]) -> set[Spot]:
        found: set[Spot] = set()
        for complaint in complaints:
            here = [spot for spot in spots if spot[0] == complaint.path and spot[1].line == complaint.line]
            exact = [spot for spot in here if self._column(spot, renamed) == complaint.column]
            found.update(exact or (here if len(here) == 1 else []))
        return found

    def _column(self, spot: Spot, renamed: set[Spot]) -> int:
        """The column of a use once what precedes it in its line has been renamed."""
        path, use = spot
        file = self._files[path]
        begin = file.source.offset(use.line, use.column)
        starts = {start for start, _, _ in self._edits(file, renamed)}
        line_start = begin - file.source.column_at(begin)
        grown = sum(line_start <= start < begin for start in starts)
        return use.column + grown * (len(self._new.encode()) - len(self._old.encode()))

    def _edits(self, file: FileUses, renamed: set[Spot]) -> list[tuple[int, int, str]]:
        return edits_of(
            file, self._new, len(self._old), {use for path, use in renamed if path == file.source.path}
        )
