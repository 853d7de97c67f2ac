"""A judgement: the driving process prepares it, its gates run as tasks, and their answers are one verdict.

What was judged before is remembered by what it is about, merge and parent, as the verdict cache does; a judgement that
is to be fresh asks again, and what it learns is remembered in turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.fleet.clock import Clock, Station
from benchmarks.fleet.cluster import Cluster, Task
from benchmarks.fleet.commits import Commit, Commits
from benchmarks.fleet.costs import Costs
from dev_agent.programs.queueing.commands import Judge
from dev_agent.programs.queueing.events import Judged
from dev_agent.programs.queueing.model import Verdict

Answered = Callable[[Judged], None]


@dataclass(eq=False)
class Attempt:
    """One judgement. `remembered`: no worker was asked."""

    order: Judge
    tasks: list[Task] = field(default_factory=list)
    left: int = 0
    cancelled: bool = False
    remembered: bool = False
    verdict: Verdict | None = None

    @property
    def spent(self) -> float:
        """Seconds of workers that went into it so far."""
        return sum(one.spent for one in self.tasks)


@dataclass
class Judging:
    """All judgements of a day; `attempts` by number."""

    clock: Clock
    costs: Costs
    cluster: Cluster
    commits: Commits
    seed: int
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = Station(self.clock, capacity=self.costs.client_cores)
        self.shipping = Station(self.clock)
        self._running: dict[int, Attempt] = {}
        self._known: dict[tuple[int, int], Verdict] = {}
        self._bundled: set[int] = set()

    def begin(self, order: Judge, answered: Answered) -> None:
        """Judge, and tell the answer unless it is cancelled before."""
        attempt = Attempt(order=order)
        self.attempts.append(attempt)
        self._running[order.attempt] = attempt
        self.client.serve(self.costs.judgement, lambda: self._prepared(attempt, answered))

    def cancel(self, number: int) -> None:
        """Nobody waits for this one any more."""
        attempt = self._running.pop(number, None)
        if attempt is not None:
            attempt.cancelled = True
            for task in attempt.tasks:
                self.cluster.cancel(task)

    def stop(self) -> None:
        """Nobody waits for any of them any more."""
        for number in list(self._running):
            self.cancel(number)

    def _prepared(self, attempt: Attempt, answered: Answered) -> None:
        if attempt.cancelled:
            return
        order = attempt.order
        parent, commit = self.commits.known[order.parent], self.commits.known[order.commit]
        known = self._known.get((parent.tree, commit.tree))
        if known is not None and not order.fresh:
            attempt.remembered = True
            self._answer(attempt, known, answered)
            return
        lengths = self.costs.gates()
        attempt.left = len(lengths)
        for gate, seconds in enumerate(lengths):
            attempt.tasks.append(self._task(gate, seconds, attempt, (parent, commit), answered))
        if parent.tree in self._bundled:
            self._submit(attempt)
        else:
            # A parent nobody has heard of is bundled whole, and one bundle is made at a time.
            self._bundled.add(parent.tree)
            self.shipping.serve(self.costs.bundle, lambda: self._submit(attempt))

    def _submit(self, attempt: Attempt) -> None:
        if not attempt.cancelled:
            for task in attempt.tasks:
                self.cluster.submit(task)

    def _task(
        self, gate: int, seconds: float, attempt: Attempt, about: tuple[Commit, Commit], answered: Answered
    ) -> Task:
        parent, commit = about
        chance = random.Random(f"{self.seed} {gate} {parent.tree} {commit.tree}")
        return Task(
            gate=gate,
            parent=parent,
            commit=commit,
            seconds=self.costs.drawn(seconds, chance),
            done=lambda: self._done(attempt, commit, answered),
        )

    def _done(self, attempt: Attempt, commit: Commit, answered: Answered) -> None:
        attempt.left -= 1
        if attempt.left or attempt.cancelled:
            return
        if any(one.given_up for one in attempt.tasks):
            self._answer(attempt, Verdict.UNKNOWN, answered)
            return
        verdict = Verdict.RED if self.commits.is_red(commit) else Verdict.GREEN
        self._known[(commit.base, commit.tree)] = verdict
        self._answer(attempt, verdict, answered)

    def _answer(self, attempt: Attempt, verdict: Verdict, answered: Answered) -> None:
        self._running.pop(attempt.order.attempt, None)
        attempt.verdict = verdict
        order = attempt.order
        told = Judged(
            attempt=order.attempt,
            commit=order.commit,
            parent=order.parent,
            verdict=verdict,
            reason="" if verdict is Verdict.GREEN else verdict.value,
            run=str(order.attempt),
        )
        answered(told)
