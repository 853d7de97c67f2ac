"""Is a run stable? Health = f(trace, program); an alarm names the transitions that caused it.

    walk = walk_of(read_trace(folder))
    health = health_of(walk, program=program)
    health.alarms          # () for every run that went straight

What alarms, per run (docs/health.md has the reasons and the calibration):

- loop: the run is more than three times as long as its direct way, and most of its transitions left a state that
  had been left before. Both: a long straight run is no loop, and one short detour on a short way is none either.
- excess: the entropy of its transitions exceeds that of the direct way by more than min(2.5 bits, 0.4 of what the
  graph leaves room for). Many different detours do that; one loop repeated lowers it, which is why `loop` exists.
- invariant: a path the program's invariants forbid. The program was proved, so this is damage or another program.

A run that leaves no state more than twice, one repair or one rebase, gives neither of the first two.

The direct way is the shortest one to the run's last transition over transitions the run took itself. A straight run
is its own direct way and scores exactly 0 on stretch, revisit rate and excess. Alarms over many runs are in `drift`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.measures import Six, entropy, six_of
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import Invariant
from dev_agent.runtime.walk import Edge, Walk
from dev_agent.values import dataclass

MOST_STRETCH = 2.0
MOST_REVISITS = 0.5
MOST_EXCESS = 2.5
HEADROOM_SHARE = 0.4
CALM_VISITS = 2
NAMED_EDGES = 5


class AlarmKind(StrEnum):
    """What an alarm is about."""

    LOOP = "loop"
    EXCESS = "excess"
    INVARIANT = "invariant"
    BRANCHING = "branching"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A transition an alarm rests on: how often it was taken, and how often the direct way (or the baseline) does."""

    edge: Edge
    count: int
    expected: int = 0

    def to_json(self) -> dict[str, Json]:
        """The JSON form."""
        edge = self.edge
        return {
            "from": edge.source, "outcome": edge.outcome, "to": edge.target,
            "count": self.count, "expected": self.expected,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong, by how much (`value` is beyond `limit`), and the transitions responsible, the worst first."""

    kind: AlarmKind
    message: str
    value: float
    limit: float
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHealth:
    """The health of one run. `stretch` is transitions/direct - 1; entropies are in bits.

    `headroom` and `excess_limit` are None where the program's graph is not known.
    """

    run: str
    transitions: int
    direct: int
    revisits: int
    stretch: float
    revisit_rate: float
    excess: float
    headroom: float | None
    excess_limit: float | None
    six: Six
    alarms: tuple[Alarm, ...]


def edges_of(program: Program) -> frozenset[Edge]:
    """Return the transitions of a program's table. An exceeded budget leaves the table; it is not one of them."""
    return frozenset(
        Edge(source=state.name, outcome=outcome, target=target)
        for state in program.states.values()
        for outcome, target in state.on.items()
    )


def counters(walk: Walk) -> dict[str, Json]:
    """Return what a receipt says of health: whole numbers, from the trace alone.

    transitions the run took; direct: how many lead the same way; revisits: those that left a state left before;
    retried: states tried again in place; errors: states left by `error`.
    """
    return {
        "transitions": len(walk.edges),
        "direct": len(walk.direct()),
        "revisits": walk.revisits(),
        "retried": len(walk.retried),
        "errors": len(walk.failed),
    }


def health_of(walk: Walk, *, program: Program | None = None, baseline: Sequence[Walk] = ()) -> RunHealth:
    """Return the health of a run against its program (None: not known) and runs that went well."""
    counts, direct = walk.counts(), Counter(walk.direct())
    total, shortest = len(walk.edges), sum(direct.values())
    stretch = total / shortest - 1 if shortest else 0.0
    revisit_rate = walk.revisits() / total if total else 0.0
    straight = entropy(direct.values())
    excess = entropy(counts.values()) - straight
    headroom = None
    if program is not None:
        headroom = max(math.log2(len(edges_of(program)) or 1) - straight, 0.0)
    limit = None if headroom is None else min(MOST_EXCESS, HEADROOM_SHARE * headroom)
    surplus = tuple(_surplus(counts, direct))
    alarms = []
    restless = max(Counter(edge.source for edge in walk.edges).values(), default=0) > CALM_VISITS
    if stretch > MOST_STRETCH and revisit_rate > MOST_REVISITS:
        said = f"{total} transitions where {shortest} lead the same way; {walk.revisits()} went back"
        alarms.append(
            Alarm(kind=AlarmKind.LOOP, message=said, value=stretch, limit=MOST_STRETCH, causes=surplus)
        )
    if restless and limit is not None and excess > limit:
        said = f"its transitions are {excess:.2f} bits less predictable than the direct way"
        alarms.append(Alarm(kind=AlarmKind.EXCESS, message=said, value=excess, limit=limit, causes=surplus))
    alarms += [alarm for one in (program.invariants if program else ()) for alarm in _violation(one, walk)]
    return RunHealth(
        run=walk.run,
        transitions=total,
        direct=shortest,
        revisits=walk.revisits(),
        stretch=stretch,
        revisit_rate=revisit_rate,
        excess=excess,
        headroom=headroom,
        excess_limit=limit,
        six=six_of(walk, baseline),
        alarms=tuple(alarms),
    )


def _surplus(counts: Counter[Edge], direct: Counter[Edge]) -> list[Cause]:
    """The transitions taken more often than the direct way takes them, the most frequent first."""
    found = [
        Cause(edge=edge, count=count, expected=direct[edge])
        for edge, count in counts.items()
        if count > direct[edge]
    ]
    found.sort(key=lambda cause: (cause.expected - cause.count, cause.edge.source, cause.edge.outcome))
    return found[:NAMED_EDGES]


def _violation(invariant: Invariant, walk: Walk) -> list[Alarm]:
    """The invariant held against the way the run really took, from the latest of its sources each time."""
    armed, passed, broken = False, set[int](), Counter[Edge]()
    for edge in walk.edges:
        if edge.source in invariant.sources:
            armed, passed = True, set()
        passed |= {
            index
            for index, gate in enumerate(invariant.through)
            if edge.source == gate.state and edge.outcome in gate.outcomes
        }
        if armed and edge.target in invariant.targets and len(passed) < len(invariant.through):
            broken[edge] += 1
    if not broken:
        return []
    causes = tuple(Cause(edge=edge, count=count) for edge, count in broken.most_common(NAMED_EDGES))
    said = f"the run went a way that {invariant.name!r} forbids"
    return [
        Alarm(kind=AlarmKind.INVARIANT, message=said, value=float(broken.total()), limit=0.0, causes=causes)
    ]
