"""A target, heads and a judge without git: what every commit holds is known, so every decision can be checked.

The driver below does what the queue wants done, in an order given by a seed, and checks at every landing and at every
ejection that it was right. It keeps the events, as a trace would.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dev_agent.programs.queueing.commands import Cancel, Command, Compose, Judge, Land
from dev_agent.programs.queueing.events import (
    Composed,
    Event,
    Judged,
    Landed,
    Moved,
    Opened,
    Restarted,
    Superseded,
    from_json,
    to_json,
)
from dev_agent.programs.queueing.model import Fate, Item, QueueState, Verdict
from dev_agent.programs.queueing.step import fold, opened, step


def seeded(seed: int) -> random.Random:
    """Chance that is the same every time."""
    return random.Random(seed)  # noqa: S311 - nothing here is a secret


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of the heads. `against` are pairs that are green alone and red together; `apart` do not merge."""

    heads: int
    bad: frozenset[int] = frozenset()
    flaky: frozenset[int] = frozenset()
    against: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()
    same: Mapping[int, int] = field(default_factory=dict)

    def red(self, content: frozenset[int]) -> bool:
        """Whether a commit with these heads in it is red, judged as often as you like."""
        return bool(content & self.bad) or any(pair <= content for pair in map(frozenset, self.against))

    def merges(self, content: frozenset[int], head: int) -> bool:
        """Whether the head merges into a commit that holds `content`."""
        return not any(head in pair and set(pair) - {head} <= content for pair in self.apart)


@dataclass
class World:
    """The outside of a queue; `moves` and `replaced` are what others do to target and heads, by judgement count."""

    truth: Truth
    seed: int
    moves: frozenset[int] = frozenset()
    replaced: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = seeded(self.seed)
        self.content: dict[str, frozenset[int]] = {"c0": frozenset()}
        self.parents: dict[str, str] = {}
        self.green: set[tuple[str, str]] = set()
        self.judged: dict[str, int] = {}
        self.tip = "c0"
        self.history = ["c0"]
        self.gone: set[int] = set()
        self.judgements = 0
        self.ticks = 0
        self.events: list[Event] = []
        self.running: dict[int, Judge] = {}
        self.todo: list[Command] = []

    def open(self, *, jobs: int, max_batch: int) -> QueueState:
        """A new queue over all heads."""
        items = tuple(Item(number=n, name=f"h{n}", commit=f"head{n}") for n in range(self.truth.heads))
        event = Opened(tip=self.tip, items=items, jobs=jobs, max_batch=max_batch)
        self.events.append(event)
        state, commands = opened(event)
        self._hear(commands)
        return state

    def restart(self) -> QueueState:
        """A process that died: nothing is left but the trace and the world."""
        self.running, self.todo = {}, []
        state = fold(from_json(to_json(event)) for event in self.events)
        assert state is not None
        landing = [one for one in state.line if one.phase.value == "landing" and one.commit in self.history]
        for one in landing:
            state = self._tell(state, Landed(batch=one.id, commit=one.commit))
        self.running, self.todo = {}, []
        return self._tell(state, Restarted(tip=self.tip))

    def run(self, state: QueueState, *, most: int = 1_000_000, all_at_once: bool = False) -> QueueState:
        """Do what is wanted until the queue is finished, or `most` events were told."""
        told = len(self.events)
        while not (state.finished or state.halted) and len(self.events) - told < most:
            if self.todo:
                state = self._do(state, self.todo.pop(0))
                continue
            assert self.running, f"the queue wants nothing and is not finished: {state}"
            assert len(self.running) <= state.jobs
            attempts = sorted(self.running)
            if not all_at_once:
                attempts = [self.random.choice(attempts)]
            self.ticks += 1
            for attempt in attempts:
                if attempt in self.running:
                    state = self._answer(state, self.running.pop(attempt))
                    while all_at_once and self.todo and not isinstance(self.todo[0], Judge):
                        state = self._do(state, self.todo.pop(0))
        return state

    def die_while_landing(self) -> bool:
        """A landing that is wanted now goes through, and nobody lives to write it down. False if none is wanted."""
        for one in self.todo:
            if isinstance(one, Land) and one.parent == self.tip and (one.commit, one.parent) in self.green:
                self.tip = one.commit
                self.history.append(one.commit)
                return True
        return False

    def fates(self, state: QueueState) -> dict[int, Fate]:
        """Number of a head → what became of it."""
        assert len({one.item.number for one in state.decided}) == len(state.decided)
        return {one.item.number: one.fate for one in state.decided}

    def _tell(self, state: QueueState, event: Event) -> QueueState:
        before = {one.item.number for one in state.decided}
        self.events.append(event)
        state, commands = step(state, event)
        self._hear(commands)
        for one in state.decided:
            if one.item.number not in before and one.fate is Fate.EJECTED:
                self._check_ejection(one.item.number)
        return state

    def _check_ejection(self, number: int) -> None:
        now = self.content[self.tip]
        merges = self.truth.merges(now, number)
        assert not merges or self.truth.red(now | {number}), f"head {number} is good and was put out"

    def _hear(self, commands: Iterable[Command]) -> None:
        for one in commands:
            if isinstance(one, Cancel):
                assert one.attempt in self.running or any(
                    isinstance(other, Judge) and other.attempt == one.attempt for other in self.todo
                )
                self.running.pop(one.attempt, None)
                self.todo = [
                    other
                    for other in self.todo
                    if not (isinstance(other, Judge) and other.attempt == one.attempt)
                ]
            elif isinstance(one, Judge):
                self.running[one.attempt] = one
            else:
                self.todo.append(one)

    def _do(self, state: QueueState, command: Command) -> QueueState:
        if isinstance(command, Compose):
            return self._tell(state, self._compose(command))
        assert isinstance(command, Land)
        for item in command.items:
            if item.number in self.gone:
                return self._tell(state, Superseded(number=item.number, now="elsewhere"))
        if self.tip != command.parent:
            return self._tell(state, Moved(tip=self.tip))
        # The promise of the whole thing: judged green as this very commit, on this very parent.
        assert (command.commit, command.parent) in self.green
        assert self.parents[command.commit] == self.tip
        assert not self.truth.red(self.content[command.commit])
        self.tip = command.commit
        self.history.append(command.commit)
        return self._tell(state, Landed(batch=command.batch, commit=command.commit))

    def _compose(self, command: Compose) -> Composed:
        content = self.content[command.parent]
        included, conflicts, contained = [], [], []
        for item in command.items:
            if item.number in content or self.truth.same.get(item.number) in content:
                contained.append(item.number)
            elif not self.truth.merges(content, item.number):
                conflicts.append((item.number, "conflict"))
            else:
                included.append(item.number)
                content |= {item.number}
        commit = f"{command.parent}+{','.join(map(str, included))}" if included else ""
        if commit:
            self.content[commit] = content
            self.parents[commit] = command.parent
        return Composed(
            batch=command.batch,
            parent=command.parent,
            commit=commit,
            included=tuple(included),
            conflicts=tuple(conflicts),
            contained=tuple(contained),
        )

    def _answer(self, state: QueueState, judge: Judge) -> QueueState:
        self.judgements += 1
        times = self.judged.get(judge.commit, 0)
        self.judged[judge.commit] = times + 1
        content = self.content[judge.commit]
        new = content - self.content[judge.parent]
        # A flake strikes a commit once; the same commit judged again tells the truth.
        flake = times == 0 and bool(new & self.truth.flaky) and self.random.random() < 0.5
        red = self.truth.red(content) or flake
        if not red:
            self.green.add((judge.commit, judge.parent))
        verdict = Verdict.RED if red else Verdict.GREEN
        state = self._tell(
            state,
            Judged(attempt=judge.attempt, commit=judge.commit, parent=judge.parent, verdict=verdict, run="r"),
        )
        if self.judgements in self.moves:
            moved = f"{self.tip}!"
            self.content[moved] = self.content[self.tip]
            self.tip = moved
            self.history.append(moved)
        if self.judgements in self.replaced:
            self.gone.add(self.replaced[self.judgements])
        return state
