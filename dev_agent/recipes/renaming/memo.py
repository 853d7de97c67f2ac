"""What is known of a thing already, and what is being found out: each is computed once, and a circle ends.

`x = y; y = x` asks for itself. Where a question is open already, or too many are, the answer is what the asker says a
circle means. An answer found inside an open question may owe its `Unknown` to that question, so it is kept only if
there is none in it; the next to ask gets another try.

Things are told apart by their identity: whoever asks sees that they live as long as the memo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.values import UNKNOWN, Unknown, Values

if TYPE_CHECKING:
    from collections.abc import Callable

_DEPTH = 60


class Memo:
    """Answers by (thing, what was asked of it)."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, object], Values] = {}
        self._open: set[tuple[int, object]] = set()

    def once(
        self, thing: object, asked: object, compute: Callable[[], Values], cyclic: Values = UNKNOWN
    ) -> Values:
        """Return what `compute` gives, or gave; `cyclic` where the question leads back to itself."""
        key = (id(thing), asked)
        if key in self._known:
            return self._known[key]
        if key in self._open or len(self._open) > _DEPTH:
            return cyclic
        self._open.add(key)
        try:
            found = compute()
        finally:
            self._open.discard(key)
        if not self._open or Unknown() not in found:
            self._known[key] = found
        return found
