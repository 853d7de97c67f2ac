"""What merges hold, and what judging them says: the truth that the queue has to find out.

Judging is by difference, as the gates are: a merge is red for what its own heads break against its parent, never for
what the parent brought. So the truth of a merge is that of its heads, given what is below.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.fleet.day import Head, Kind
from dev_agent.programs.queueing.commands import Compose
from dev_agent.programs.queueing.events import Composed
from dev_agent.programs.queueing.model import Item

ROOT = "c0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """`tree` and `environment` are equal where the content is, however made; `paired` are its heads in some pair."""

    name: str
    tree: int
    environment: int
    paired: frozenset[int]
    red: bool = False
    flaky: int = 0
    base: int = 0


@dataclass
class Commits:
    """Every merge that was made. `flake`: how often a flaky head is red, judged once."""

    heads: Sequence[Head]
    seed: int
    flake: float
    known: dict[str, Commit] = field(default_factory=dict)
    _names: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    _times: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known[ROOT] = Commit(name=ROOT, tree=0, environment=0, paired=frozenset())
        chance = random.Random(f"trees {self.seed}")
        self._marks = [chance.getrandbits(64) for _ in self.heads]
        self._apart = _partners((head.number, head.apart) for head in self.heads)
        self._against = _partners((head.number, head.against) for head in self.heads)
        self._in_pairs = self._apart.keys() | self._against.keys()

    def compose(self, order: Compose) -> Composed:
        """The merge that was ordered: heads that do not merge with what is below are left out, and named."""
        paired = set(self.known[order.parent].paired)
        included, conflicts = [], []
        for item in order.items:
            if self._apart.get(item.number, _NONE) & paired:
                conflicts.append((item.number, "conflict"))
                continue
            included.append(item.number)
            if item.number in self._in_pairs:
                paired.add(item.number)
        return Composed(
            batch=order.batch,
            parent=order.parent,
            commit=self._commit(order.parent, tuple(included)) if included else "",
            included=tuple(included),
            conflicts=tuple(conflicts),
        )

    def is_red(self, commit: Commit) -> bool:
        """What judging it once more says. The same merge judged as often has the same luck, whatever came between."""
        key = (commit.base, commit.tree)
        times = self._times[key] = self._times.get(key, 0) + 1
        chance = random.Random(f"{self.seed} {key} {times}")
        return commit.red or any(chance.random() < self.flake for _ in range(commit.flaky))

    def is_wrong_for(self, item: Item, tip: str) -> bool:
        """True if this head alone, on this commit, is red or may be, or does not merge."""
        head, paired = self.heads[item.number], self.known[tip].paired
        quarrels = (self._apart.get(item.number, _NONE) | self._against.get(item.number, _NONE)) & paired
        return head.kind is not Kind.GOOD or bool(quarrels)

    def _commit(self, parent: str, included: tuple[int, ...]) -> str:
        known = self._names.get((parent, included))
        if known is not None:
            return known
        below = self.known[parent]
        tree, environment, paired = below.tree, below.environment, below.paired
        red = False
        for number in included:
            tree ^= self._marks[number]
            environment ^= self._marks[number] if self.heads[number].environment else 0
            if number in self._in_pairs:
                paired |= {number}
            red = red or self.heads[number].kind is Kind.BAD
            red = red or bool(self._against.get(number, _NONE) & paired)
        name = f"c{len(self.known)}"
        self.known[name] = Commit(
            name=name,
            tree=tree,
            environment=environment,
            paired=paired,
            red=red,
            flaky=sum(self.heads[number].kind is Kind.FLAKY for number in included),
            base=below.tree,
        )
        self._names[(parent, included)] = name
        return name


_NONE: frozenset[int] = frozenset()


def _partners(pairs: Iterable[tuple[int, int | None]]) -> Mapping[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    for one, other in pairs:
        if other is not None:
            found[one] = found.get(one, _NONE) | {other}
            found[other] = found.get(other, _NONE) | {one}
    return found
