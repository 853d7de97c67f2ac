"""The workers and their scheduler: tasks wait in one line, each is one gate on one merge, on whichever worker is free.

A worker knows the environments it has built, the trees whose runs it has kept, and nothing when it begins. A worker
that is lost takes its task with it; the engine gives that to another one, and gives up after `losses`. A lost worker
comes back as it was on its disk.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from benchmarks.fleet.clock import Clock, Station
from benchmarks.fleet.commits import Commit
from benchmarks.fleet.costs import Baselines, Costs


@dataclass(eq=False)
class Task:
    """One gate on one merge. `seconds` is what one run of it takes on a warm worker.

    `done` is called once, when the gate has run, or was given up because every worker that had it was lost.
    """

    gate: int
    parent: Commit
    commit: Commit
    seconds: float
    done: Callable[[], None]
    cancelled: bool = False
    losses: int = 0
    given_up: bool = False
    worker: int | None = None
    began: float = 0.0
    spent: float = 0.0


@dataclass
class _Worker:
    environments: set[int] = field(default_factory=set)
    runs: set[tuple[int, int]] = field(default_factory=set)
    warm: bool = False


@dataclass
class Cluster:
    """`size` workers of one slot. `losses` counts workers lost, `builds` environments built, `baselines` extra runs."""

    clock: Clock
    size: int
    costs: Costs
    baselines: Baselines
    seed: int
    losses: int = 0
    builds: int = 0
    extra_runs: int = 0
    busy: float = 0.0
    tasks: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"cluster {self.seed}")
        self.scheduler = Station(self.clock)
        self._workers = [_Worker() for _ in range(self.size)]
        self._idle = list(range(self.size))
        self._line: deque[Task] = deque()
        self._shared: set[tuple[int, int]] = set()

    def submit(self, task: Task) -> None:
        """Run it when the scheduler has dealt with it and a worker is free."""
        self.tasks += 1
        self.scheduler.serve(self.costs.task, lambda: self._enqueue(task))

    def cancel(self, task: Task) -> None:
        """Nobody waits for it any more; a worker that has it is free once its processes are gone."""
        if task.cancelled:
            return
        task.cancelled = True
        if task.worker is not None:
            worker, task.worker = task.worker, None
            self._charge(task)
            self.clock.after(self.costs.cancel, lambda: self._free(worker))

    def _enqueue(self, task: Task) -> None:
        self._line.append(task)
        self._match()

    def _match(self) -> None:
        while self._idle and self._line:
            task = self._line.popleft()
            if not task.cancelled:
                self._start(task, heappop(self._idle))

    def _start(self, task: Task, number: int) -> None:
        task.worker, task.began = number, self.clock.now
        seconds = self._seconds(task, self._workers[number])
        lost = self._chance.expovariate(1 / self.costs.worker_mtbf) if self.costs.worker_mtbf else seconds + 1
        if lost < seconds:
            self.clock.after(lost, lambda: self._lose(task, number))
        else:
            self.clock.after(seconds, lambda: self._finish(task, number))

    def _seconds(self, task: Task, worker: _Worker) -> float:
        """Until the verdict: what the worker lacks, the run on the parent if nobody knows it, the run itself."""
        seconds = self.costs.take + task.seconds
        if not worker.warm:
            seconds += self.costs.cold
        if task.commit.environment not in worker.environments:
            self.builds += 1
            seconds += self.costs.environment
        known = worker.runs if self.baselines is Baselines.WORKER else self._shared
        if self.baselines is not Baselines.WAITED and (task.gate, task.parent.tree) not in known:
            self.extra_runs += 1
            seconds += task.seconds
        return seconds

    def _finish(self, task: Task, number: int) -> None:
        if task.worker != number or task.cancelled:
            return
        worker = self._workers[number]
        worker.warm = True
        worker.environments.add(task.commit.environment)
        for tree in (task.parent.tree, task.commit.tree):
            worker.runs.add((task.gate, tree))
            self._shared.add((task.gate, tree))
        task.worker = None
        self._charge(task)
        self._free(number)
        self.scheduler.serve(self.costs.task, task.done)

    def _lose(self, task: Task, number: int) -> None:
        """The worker is gone whether or not its task is still wanted; only a task it still had goes on elsewhere."""
        if task.worker != number or task.cancelled:
            return
        self.losses += 1
        self._workers[number].warm = False
        task.worker = None
        self._charge(task)
        self.clock.after(self.costs.worker_back, lambda: self._free(number))
        task.losses += 1
        if task.losses >= self.costs.losses:
            task.given_up = True
            task.done()
        else:
            self.scheduler.serve(self.costs.task, lambda: self._again(task))

    def _again(self, task: Task) -> None:
        self._line.appendleft(task)
        self._match()

    def _charge(self, task: Task) -> None:
        spent = self.clock.now - task.began
        task.spent += spent
        self.busy += spent

    def _free(self, number: int) -> None:
        heappush(self._idle, number)
        self._match()
