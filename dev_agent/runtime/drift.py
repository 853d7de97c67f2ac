"""Health over many runs of one program: does a state still decide, and do runs still go where they used to?

- branching: the entropy of a state's outcomes, as a share of the most its out-degree allows (log2 of it). 0: always
  the same edge. 1: the state might as well throw a die. Choices and waits are left out: what conditions and people
  answer may vary as it likes.
- drift: the Jensen-Shannon distance of the distribution of transitions from a baseline's, 0 to 1.

Both need many runs to mean anything, and say nothing with fewer: a share of three runs is no share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from dev_agent.runtime.health import NAMED_EDGES, Alarm, AlarmKind, Cause, edges_of
from dev_agent.runtime.measures import distance, divergences, entropy
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import Kind
from dev_agent.runtime.walk import Edge, Walk
from dev_agent.values import dataclass

LEAST_RUNS = 10
LEAST_DEPARTURES = 20
MOST_BRANCHING = 0.8
MOST_DISTANCE = 0.3
_DECIDED_OUTSIDE = frozenset({Kind.CHOOSE, Kind.WAIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Branching:
    """How a state was left over many runs. `share` is the entropy of `outcomes` over log2(`degree`), 0 to 1."""

    state: str
    degree: int
    outcomes: Mapping[str, int]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Many runs of one program. `distance` is None without a baseline."""

    runs: int
    edges: Mapping[Edge, int]
    branching: tuple[Branching, ...]
    distance: float | None
    alarms: tuple[Alarm, ...]


def fleet_of(walks: Sequence[Walk], *, program: Program | None, baseline: Sequence[Walk] = ()) -> Fleet:
    """Return the health of many runs of a program (None: its graph is what the runs show of it)."""
    counts = _counted(walks)
    branching = tuple(_branchings(counts, program))
    expected = _counted(baseline)
    shares = divergences(counts, expected) if baseline else {}
    apart = distance(shares) if baseline else None
    alarms = [alarm for one in branching for alarm in _undecided(one, counts, len(walks), program)]
    if apart is not None and apart > MOST_DISTANCE and min(len(walks), len(baseline)) >= LEAST_RUNS:
        alarms.append(_drifted(apart, shares, counts, expected))
    return Fleet(runs=len(walks), edges=counts, branching=branching, distance=apart, alarms=tuple(alarms))


def _counted(walks: Sequence[Walk]) -> Counter[Edge]:
    total: Counter[Edge] = Counter()
    for walk in walks:
        total.update(walk.edges)
    return total


def _branchings(counts: Counter[Edge], program: Program | None) -> list[Branching]:
    known = set(counts) | (set() if program is None else set(edges_of(program)))
    # Budgets cut a run off from outside; they are no answer of the state.
    degrees = Counter(edge.source for edge in known if not edge.outcome.startswith("budget_"))
    left: dict[str, dict[str, int]] = {}
    for edge, count in counts.items():
        if not edge.outcome.startswith("budget_"):
            left.setdefault(edge.source, {})[edge.outcome] = count
    return [
        Branching(
            state=state,
            degree=degrees[state],
            outcomes=outcomes,
            share=entropy(outcomes.values()) / math.log2(degrees[state]) if len(outcomes) > 1 else 0.0,
        )
        for state, outcomes in left.items()
    ]


def _undecided(
    branching: Branching, counts: Counter[Edge], runs: int, program: Program | None
) -> list[Alarm]:
    state = program.states.get(branching.state) if program else None
    # Without the program nobody knows the true out-degree, nor who decided.
    if state is None or state.kind in _DECIDED_OUTSIDE or branching.share <= MOST_BRANCHING:
        return []
    if runs < LEAST_RUNS or sum(branching.outcomes.values()) < LEAST_DEPARTURES:
        return []
    said = f"{branching.state} leaves almost evenly by its {branching.degree} outcomes: it decides nothing"
    causes = [Cause(edge=edge, count=count) for edge, count in counts.items() if edge.source == state.name]
    causes.sort(key=lambda cause: (-cause.count, cause.edge.outcome))
    return [
        Alarm(
            kind=AlarmKind.BRANCHING,
            message=said,
            value=branching.share,
            limit=MOST_BRANCHING,
            causes=tuple(causes[:NAMED_EDGES]),
        )
    ]


def _drifted(
    apart: float, shares: Mapping[Edge, float], counts: Counter[Edge], expected: Counter[Edge]
) -> Alarm:
    worst = sorted(shares, key=lambda edge: (-shares[edge], edge.source, edge.outcome))[:NAMED_EDGES]
    causes = tuple(Cause(edge=edge, count=counts[edge], expected=expected[edge]) for edge in worst)
    said = f"transitions are spread otherwise than in the baseline: distance {apart:.2f} of 1"
    return Alarm(kind=AlarmKind.DRIFT, message=said, value=apart, limit=MOST_DISTANCE, causes=causes)
