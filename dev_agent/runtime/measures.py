"""The formulas behind health: entropies, distances, and the six metrics of earlier systems. Pure.

Everything is exact where it is zero: equal counts give equal floats, and sums of nothing are 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

from dev_agent.runtime.walk import Walk
from dev_agent.values import dataclass

_T = TypeVar("_T", bound=Hashable)

SEED_LIMITS: Mapping[str, float] = {
    "rollback_density": 0.3,
    "tool_churn": 0.4,
    "path_variance": 0.5,
    "invariant_violations": 0.2,
    "transition_sequence_variance": 0.4,
    "transition_entropy": 2.5,
}
"""The thresholds these six came with. Shown, and no ground for an alarm: see docs/health.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Six:
    """The six metrics; None where a baseline is needed and there is none.

    rollback_density               states tried again in place / transitions
    tool_churn                     transitions from a state left before / transitions
    path_variance                  positions whose snapshot differs from the baseline run's / the longer length
    invariant_violations           states left by `error` / transitions
    transition_sequence_variance   |pairs of states △ the baseline's| / |both|
    transition_entropy             Shannon entropy of the pairs of states, in bits
    """

    rollback_density: float
    tool_churn: float
    path_variance: float | None
    invariant_violations: float
    transition_sequence_variance: float | None
    transition_entropy: float

    def beyond(self) -> list[str]:
        """The names of those above their old threshold."""
        values = self.to_json()
        return [name for name, limit in SEED_LIMITS.items() if (values[name] or 0) > limit]

    def to_json(self) -> dict[str, float | None]:
        """The metrics by name, in their usual order."""
        return {
            "rollback_density": self.rollback_density,
            "tool_churn": self.tool_churn,
            "path_variance": self.path_variance,
            "invariant_violations": self.invariant_violations,
            "transition_sequence_variance": self.transition_sequence_variance,
            "transition_entropy": self.transition_entropy,
        }


def six_of(walk: Walk, baseline: Sequence[Walk] = ()) -> Six:
    """Return the six metrics; against several baseline runs, the ones against the nearest."""
    total = len(walk.edges) or 1
    pairs = [(edge.source, edge.target) for edge in walk.edges]
    return Six(
        rollback_density=len(walk.retried) / total,
        tool_churn=walk.revisits() / total,
        path_variance=min((_path_variance(walk, other) for other in baseline), default=None),
        invariant_violations=len(walk.failed) / total,
        transition_sequence_variance=min((_pair_distance(walk, other) for other in baseline), default=None),
        transition_entropy=entropy(Counter(pairs).values()),
    )


def _path_variance(walk: Walk, other: Walk) -> float:
    differing = [ours != theirs for ours, theirs in zip_longest(walk.snapshots, other.snapshots)]
    return differing.count(True) / (len(differing) or 1)


def _pair_distance(walk: Walk, other: Walk) -> float:
    ours = {(edge.source, edge.target) for edge in walk.edges}
    theirs = {(edge.source, edge.target) for edge in other.edges}
    return len(ours ^ theirs) / (len(ours | theirs) or 1)


def entropy(counts: Iterable[int]) -> float:
    """Return the Shannon entropy of these counts in bits: log2(N) - (1/N) * sum of c * log2(c)."""
    kept = [count for count in counts if count]
    total = sum(kept)
    if len(kept) < 2:
        return 0.0
    weighed: float = math.fsum(count * math.log2(count) for count in kept)
    return math.log2(total) - weighed / total


def divergences(ours: Mapping[_T, int], theirs: Mapping[_T, int]) -> dict[_T, float]:
    """Return what each key adds to the Jensen-Shannon divergence of two distributions (base 2); all are >= 0.

    Lin, "Divergence measures based on the Shannon entropy" (1991): JSD = H((p+q)/2) - (H(p) + H(q))/2. Equal
    distributions give exactly 0 for every key.
    """
    total, other = sum(ours.values()) or 1, sum(theirs.values()) or 1
    return {
        key: _divergence(ours.get(key, 0) * other, theirs.get(key, 0) * total, total * other)
        for key in dict.fromkeys([*ours, *theirs])
    }


def _divergence(ours: int, theirs: int, scale: int) -> float:
    """One key's share. The counts are whole numbers on one scale, so that equal ones give exactly log2(1) = 0."""
    both = ours + theirs
    terms = [part * math.log2(2 * part / both) for part in (ours, theirs) if part]
    return max(math.fsum(terms) / (2 * scale), 0.0)


def distance(shares: Mapping[_T, float]) -> float:
    """Return the Jensen-Shannon distance from its shares: the square root of the divergence, 0 to 1."""
    return math.sqrt(min(math.fsum(shares.values()), 1.0))
