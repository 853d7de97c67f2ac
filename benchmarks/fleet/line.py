"""The process that drives a queue: one thing at a time, orders before answers, answers before heads that came in.

Decisions are those of `dev_agent.programs.queueing.step`. Two ways to take heads in: ROUNDS, as `dev-agent queue` does,
where what has come in is the list of the next queue once this one is done; and STREAM, a line that takes heads in while
it runs, which the core allows and the command does not offer. For STREAM, heads are put behind those that wait, and an
event that is about no head makes the core look at them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from benchmarks.fleet.clock import Clock
from benchmarks.fleet.commits import ROOT, Commits
from benchmarks.fleet.costs import Costs
from benchmarks.fleet.day import Head
from benchmarks.fleet.judging import Judging
from dev_agent.programs.queueing.commands import Cancel, Command, Compose, Judge, Land
from dev_agent.programs.queueing.events import Event, Judged, Landed, Opened, Restarted, Superseded
from dev_agent.programs.queueing.heads import MOST
from dev_agent.programs.queueing.model import Decision, Fate, Item, Phase, Verdict
from dev_agent.programs.queueing.step import opened, step

_NOBODY = Superseded(number=-1, now="")


class Intake(StrEnum):
    """When heads that come in are taken into the line."""

    ROUNDS = "rounds"
    STREAM = "stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A name, how many merges are judged at a time (None: as many as there are workers), and heads in one of them."""

    name: str
    jobs: int | None
    max_batch: int


POLICIES = (
    Policy(name="serial", jobs=1, max_batch=1),
    Policy(name="batching", jobs=1, max_batch=8),
    Policy(name="speculative", jobs=None, max_batch=1),
    Policy(name="both", jobs=None, max_batch=8),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """A head's fate and when it had it. `wrongly`: put out, and nothing is wrong with it on the tip of that moment."""

    number: int
    fate: Fate
    at: float
    run: str
    commit: str
    wrongly: bool


@dataclass
class Line:
    """A day of one queue. `busy` is the time the driving process had something to do, `longest` the longest line."""

    clock: Clock
    costs: Costs
    commits: Commits
    judging: Judging
    jobs: int
    max_batch: int
    intake: Intake
    decided: list[Decided] = field(default_factory=list)
    busy: float = 0.0
    events: int = 0
    longest: int = 0
    halts: int = 0

    def __post_init__(self) -> None:
        self._green: set[tuple[str, str]] = set()
        self._arrived: deque[Item] = deque()
        self._orders: deque[Command] = deque()
        self._answers: deque[Event] = deque()
        self._working = False
        self._state, _ = opened(Opened(tip=ROOT, items=(), jobs=self.jobs, max_batch=self.max_batch))

    def expect(self, heads: Sequence[Head]) -> None:
        """These heads come, each at its time."""
        for head in heads:
            self.clock.after(head.at - self.clock.now, partial(self._came, head))

    def _came(self, head: Head) -> None:
        self._arrived.append(Item(number=head.number, name=f"h{head.number}", commit=f"head{head.number}"))
        # After whatever else comes at this very moment: what came together is taken in together.
        self.clock.after(0.0, self._go_on)

    def _hear(self, answer: Event) -> None:
        self._answers.append(answer)
        self._go_on()

    def _go_on(self) -> None:
        """Begin the next thing to do, unless one is being done."""
        while not self._working:
            if self._orders:
                self._do(self._orders.popleft())
            elif self._answers:
                self._tell(self._answers.popleft())
            elif not self._take_in():
                return

    def _take_in(self) -> bool:
        """Heads that wait outside come into the line, if they may; False if none does."""
        if not self._arrived or self._state.halted:
            return False
        most = len(self._arrived)
        if self.intake is Intake.ROUNDS:
            if not self._state.finished:
                return False
            # What a new queue begins with; its counters alone would begin anew, and nothing is decided by them.
            self._state = replace(self._state, size=self.max_batch)
            most = min(most, MOST)
        came = tuple(self._arrived.popleft() for _ in range(most))
        self._state = replace(self._state, waiting=self._state.waiting + came)
        self._tell(_NOBODY)
        return True

    def _do(self, order: Command) -> None:
        match order:
            case Judge():
                self.judging.begin(order, self._hear)
            case Cancel():
                self.judging.cancel(order.attempt)
            case Compose():
                current = self._state.batch(order.batch)
                if current is None or (current.phase, current.parent) != (Phase.COMPOSING, order.parent):
                    return
                seconds = self.costs.compose * len(order.items)
                self._work(seconds, self.commits.compose(order))
            case Land():
                self._require_right(order)
                self._work(self.costs.land, Landed(batch=order.batch, commit=order.commit))

    def _require_right(self, order: Land) -> None:
        """What the queue promises, asked from outside of it at every landing."""
        if order.parent != self._state.tip or (order.commit, order.parent) not in self._green:
            raise AssertionError(f"{order.commit} was about to land and was not judged green on the tip")

    def _work(self, seconds: float, event: Event) -> None:
        """Be at something for this long; then it has happened, before anything else is begun."""
        self._working = True
        self.busy += seconds

        def done() -> None:
            self._working = False
            self._tell(event)
            self._go_on()

        self.clock.after(seconds, done)

    def _tell(self, event: Event) -> None:
        self.events += 1
        if isinstance(event, Judged) and event.verdict is Verdict.GREEN:
            self._green.add((event.commit, event.parent))
        before, (state, orders) = self._state, step(self._state, event)
        self._orders.extend(orders)
        self.longest = max(self.longest, len(state.line))
        for one in state.decided:
            self._note(one, state.tip)
        self._state = replace(state, decided=())
        if state.halted and not before.halted:
            self._halted(state.tip)
        self._pause(self.costs.event + self.costs.batch * len(state.line))

    def _pause(self, seconds: float) -> None:
        """Writing the event down and deciding take time as well."""
        if seconds == 0:
            return
        self._working = True
        self.busy += seconds
        self.clock.after(seconds, self._rested)

    def _rested(self) -> None:
        self._working = False
        self._go_on()

    def _halted(self, tip: str) -> None:
        """Nothing goes on until somebody has looked, and takes the queue up again."""
        self.halts += 1
        self.judging.stop()
        self._orders.clear()
        self.clock.after(self.costs.operator, lambda: self._hear(Restarted(tip=tip)))

    def _note(self, decision: Decision, tip: str) -> None:
        out = decision.fate is Fate.EJECTED
        self.decided.append(
            Decided(
                number=decision.item.number,
                fate=decision.fate,
                at=self.clock.now,
                run=decision.run,
                commit=decision.commit,
                wrongly=out and not self.commits.is_wrong_for(decision.item, tip),
            )
        )
