"""How large a change is, in lines: for the size of a candidate and for the words of a commit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dev_agent.policy.diff_lines import count_changes
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.edits.changes import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """Lines that come and lines that go. A binary file has none, however much of it changes."""

    added: int = 0
    removed: int = 0

    @property
    def lines(self) -> int:
        """Both together."""
        return self.added + self.removed


def extent_of(changes: Iterable[Change]) -> Extent:
    """The extent of changes of different files."""
    counts = [count_changes(_lines(one.before), _lines(one.after)) for one in changes if not _is_binary(one)]
    return Extent(added=sum(one.added for one in counts), removed=sum(one.removed for one in counts))


def _lines(data: bytes | None) -> list[bytes]:
    return (data or b"").splitlines()


def _is_binary(change: Change) -> bool:
    return any(b"\0" in side for side in (change.before, change.after) if side)
