"""The way a run took through its program's graph, read from its trace; the ground of all health metrics.

Pure, and lenient about the program: traces of older and foreign programs can be walked too. A parallel state is one
transition; a state that is tried again in place is one transition with retries; an exceeded budget is a transition
under the outcome `budget_<which>`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from hashlib import sha256
from typing import cast

from dev_agent.runtime.canonical import encode
from dev_agent.runtime.chain import binding_of
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.events import RUN_STARTED, Event
from dev_agent.runtime.fold import EXCEEDED, FINISHED, LEFT, RETRIED
from dev_agent.runtime.paths import Edge, shortest_path
from dev_agent.runtime.states import ERROR
from dev_agent.values import dataclass

__all__ = ["Edge", "Walk", "walk_of"]


@dataclass(kw_only=True, slots=True)
class Walk:
    """What a run did, transition by transition. Read it; only `walk_of` writes it.

    edges       the transitions, in order
    snapshots   one digest a transition: of the latest output of every state, then
    retried     indexes into `edges` of states that were tried more than once before they were left
    failed      indexes into `edges` of states left by `error`
    ms, cost    by state, retries included; milliseconds and whatever the actions counted
    """

    run: str = ""
    program: str = ""
    started: str = ""
    finished: bool = False
    edges: list[Edge] = field(default_factory=list)
    snapshots: list[int] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    ms: Counter[str] = field(default_factory=Counter)
    cost: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def end(self) -> str:
        """The state the run stands in; "" before its first transition."""
        return self.edges[-1].target if self.edges else ""

    def counts(self) -> Counter[Edge]:
        """How often each transition was taken."""
        return Counter(self.edges)

    def direct(self) -> list[Edge]:
        """The shortest way from where the run began to its last transition, over transitions it took itself.

        Not simply to its last state: a proposal that policy denies ends in `rejected` after five transitions, and
        that is the straight way there although another transition leads from the start to `rejected` at once.
        """
        if not self.edges:
            return []
        last, start = self.edges[-1], self.edges[0].source
        if last.source == start:
            return [last]
        taken: dict[str, list[Edge]] = {}
        for edge in dict.fromkeys(self.edges):
            taken.setdefault(edge.source, []).append(edge)
        graph = {state: tuple(edges) for state, edges in taken.items()}
        return [*(shortest_path(graph, start, frozenset({last.source})) or []), last]

    def revisits(self) -> int:
        """How many transitions left a state that had been left before."""
        return len(self.edges) - len({edge.source for edge in self.edges})


def walk_of(events: Iterable[Event]) -> Walk:
    """Return the walk of a run. Raises TraceCorrupt for events of a known type that are not of their form."""
    walk = Walk()
    reading = _Reading(walk)
    for event in events:
        try:
            reading.take(event)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TraceCorrupt(event.seq, f"{event.type} is malformed: {error}") from None
    return walk


class _Reading:
    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._outputs: dict[str, int] = {}
        self._snapshot = 0
        self._tried_again = False

    def take(self, event: Event) -> None:
        walk = self._walk
        if event.type == RUN_STARTED:
            walk.run, walk.started = event.run, event.at
            walk.program = str(binding_of(event).get("program", ""))
        elif event.type == RETRIED:
            self._spent(event)
            self._tried_again = True
        elif event.type == LEFT:
            self._left(event)
        elif event.type == EXCEEDED:
            self._moved(event, f"budget_{_text(event, 'budget')}")
        elif event.type == FINISHED:
            walk.finished = True

    def _left(self, event: Event) -> None:
        outcome = _text(event, "outcome")
        self._spent(event)
        self._remember(_text(event, "state"), encode((outcome, event.data["data"])))
        if self._tried_again:
            self._walk.retried.append(len(self._walk.edges))
        if outcome == ERROR:
            self._walk.failed.append(len(self._walk.edges))
        self._moved(event, outcome)

    def _moved(self, event: Event, outcome: str) -> None:
        edge = Edge(source=_text(event, "state"), outcome=outcome, target=_text(event, "next"))
        self._walk.edges.append(edge)
        self._walk.snapshots.append(self._snapshot)
        self._tried_again = False

    def _remember(self, state: str, output: bytes) -> None:
        # A sum that forgets the state's former output keeps a snapshot's cost independent of the run's length.
        name = state.encode()
        digest = int.from_bytes(sha256(b"%d:%b%b" % (len(name), name, output)).digest())
        self._snapshot ^= self._outputs.get(state, 0) ^ digest
        self._outputs[state] = digest

    def _spent(self, event: Event) -> None:
        state = _text(event, "state")
        self._walk.ms[state] += _count(event.data["ms"])
        spent = self._walk.cost.setdefault(state, Counter())
        for key, amount in cast("Mapping[str, object]", event.data["cost"]).items():
            spent[key] += _count(amount)


def _text(event: Event, key: str) -> str:
    value = event.data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a count")
    return value
