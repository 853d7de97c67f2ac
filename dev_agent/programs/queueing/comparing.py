"""Where two lines differ that have most of their batches in common. Pure.

After every event the whole line is put in order, and nearly all of it is in order already. So batches are compared by
identity, which is what makes a long line cheap: what is the very same value was not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import is_
from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.queueing.model import Batch


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Two lines that share their first `ahead` and their last `behind` batches, which do not overlap in either."""

    ahead: int
    behind: int


def difference(one: tuple[Batch, ...], other: tuple[Batch, ...]) -> Difference:
    """What two lines share at both ends."""
    shorter = min(len(one), len(other))
    ahead = _shared(map(is_, one, other), shorter)
    behind = _shared(map(is_, reversed(one), reversed(other)), shorter)
    return Difference(ahead=ahead, behind=min(behind, shorter - ahead))


def _shared(same: Iterable[bool], length: int) -> int:
    """How many are the same before the first that is not."""
    known = list(same)
    return known.index(False) if False in known else length
