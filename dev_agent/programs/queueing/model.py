"""What a queue is: a line of batches, each a commit to be tested on the commit ahead of it.

    tip ◀── batch 1 ◀── batch 2 ◀── batch 3      each arrow: "was, or will be, tested on"
              green       red         judging      batch 3 stands on batch 1: a red one is stepped over

A batch of several heads is one merge commit with all of them as parents, so that what lands is one commit that was
judged itself; no commit between it and its parent is on the branch's own line.
"""

from __future__ import annotations

from enum import StrEnum

from dev_agent.values import dataclass


class Phase(StrEnum):
    """What is known of a batch."""

    WAITING = "waiting"
    COMPOSING = "composing"
    COMPOSED = "composed"
    JUDGING = "judging"
    GREEN = "green"
    RED = "red"
    EMPTY = "empty"
    STUCK = "stuck"
    LANDING = "landing"


class Fate(StrEnum):
    """What became of a head."""

    LANDED = "landed"
    EJECTED = "ejected"
    CONTAINED = "contained"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """What a judgement said; UNKNOWN is trouble of ours or of the machine, and says nothing of the heads."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A head in the queue: its place in the order it was given, its name as given, and the commit that was meant."""

    number: int
    name: str
    commit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Heads tested together. `parent` is what `commit` was made on; both are "" before that.

    `reds` counts how often this very commit was judged red. `settled`: judging again cannot change it (a conflict).
    `errors` counts judgements that came to nothing, whatever the commit. `suspect`: these heads were red alone, on a
    parent that is void now; nobody is put out for that, but nobody stands on them before they were judged again.
    """

    id: int
    items: tuple[Item, ...]
    phase: Phase = Phase.WAITING
    parent: str = ""
    commit: str = ""
    attempt: int = 0
    reds: int = 0
    errors: int = 0
    settled: bool = False
    suspect: bool = False
    why: str = ""
    run: str = ""

    @property
    def alone(self) -> bool:
        """True if it is about one head."""
        return len(self.items) == 1

    @property
    def failing(self) -> bool:
        """True if those behind step over it: red now, or red a moment ago and judged once more."""
        return self.phase is Phase.RED or self.reds > 0 or self.suspect


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What became of a head, and why. `commit` is what landed; `run` is the run that judged it last."""

    item: Item
    fate: Fate
    reason: str = ""
    commit: str = ""
    run: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """Everything a queue knows. `size` is how many heads the next batch takes; `rounds` counts judgements.

    `halted` says why nothing goes on, "" while it does.
    """

    tip: str
    jobs: int
    max_batch: int
    size: int
    waiting: tuple[Item, ...]
    line: tuple[Batch, ...] = ()
    decided: tuple[Decision, ...] = ()
    batches: int = 0
    attempts: int = 0
    rounds: int = 0
    halted: str = ""

    @property
    def finished(self) -> bool:
        """True if every head has its fate."""
        return not self.waiting and not self.line

    def batch(self, number: int) -> Batch | None:
        """The batch with this id, None if it is no more."""
        return next((one for one in self.line if one.id == number), None)
