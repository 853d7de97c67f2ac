"""What a campaign is: a row a repository, and what is known of each.

pending ──▶ working ──▶ decided                  every fate but one is reached here
               └─────▶ landed ──▶ publishing ──▶ decided
                       only with --publish: the change is on the branch here, and goes to the code host
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from dev_agent.programs.campaigning.budget import NOTHING, Used, reserved, total
from dev_agent.programs.spending import Spending
from dev_agent.values import dataclass


class Phase(StrEnum):
    """What is going on with a row."""

    PENDING = "pending"
    WORKING = "working"
    LANDED = "landed"
    PUBLISHING = "publishing"
    DECIDED = "decided"


class Fate(StrEnum):
    """What became of a repository.

    PUBLISHED  the change is on a pushed branch, with a pull request    LANDED  it is on the branch here
    VERIFIED   a dry run's change passed everything                     NO_CHANGE  there was nothing to do
    REJECTED   judged, and not good enough                              WAITING  policy asks a person
    KEPT       verified, and something of somebody's is in the way
    TROUBLE    it could not be judged: no repository, no access, a crash
    OUT_OF_BUDGET  its part of the budget ended before it did           NOT_STARTED  the campaign's budget had ended
    """

    PUBLISHED = "published"
    LANDED = "landed"
    VERIFIED = "verified"
    NO_CHANGE = "no_change"
    REJECTED = "rejected"
    WAITING = "waiting"
    KEPT = "kept"
    TROUBLE = "trouble"
    OUT_OF_BUDGET = "out_of_budget"
    NOT_STARTED = "not_started"


GOOD = frozenset({Fate.PUBLISHED, Fate.LANDED, Fate.VERIFIED, Fate.NO_CHANGE})
UNJUDGED = frozenset({Fate.TROUBLE, Fate.OUT_OF_BUDGET, Fate.NOT_STARTED})
BUSY = frozenset({Phase.WORKING, Phase.PUBLISHING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One repository. `place` is its folder here, `run` its last run, `branch` and `commit` where and what landed.

    `grant` is set aside for it, from its beginning to its answer. `used` is what `run` used, `before` what runs before
    that one did. `landed`: the change is on its branch, whatever became of publishing it. `pull` is the pull request.
    """

    number: int
    name: str
    phase: Phase = Phase.PENDING
    fate: Fate | None = None
    why: str = ""
    place: str = ""
    run: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    pull: str = ""
    landed: bool = False
    grant: Spending | None = None
    used: Used = NOTHING
    before: Used = NOTHING

    def spent(self) -> Iterator[Used]:
        """What is used up for this repository, and what is set aside for it, in parts."""
        if self.used is not NOTHING:
            yield self.used
        if self.before is not NOTHING:
            yield self.before
        if self.grant is not None:
            yield reserved(self.grant)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignState:
    """Everything a campaign knows. `chosen` are the rows that may begin; `elapsed_ms` is how long it was driven."""

    rows: tuple[Row, ...]
    jobs: int
    limits: Spending
    publish: bool
    chosen: frozenset[int]
    elapsed_ms: int = 0
    earlier_ms: int = 0

    @property
    def busy(self) -> tuple[Row, ...]:
        """The rows something is being done about."""
        return tuple(row for row in self.rows if row.phase in BUSY)

    @property
    def finished(self) -> bool:
        """True if every row has its fate, and one that nothing but another use of the campaign can change."""
        return all(row.phase is Phase.DECIDED and row.fate is not Fate.NOT_STARTED for row in self.rows)

    @property
    def used(self) -> Used:
        """What is used up or set aside."""
        return total(part for row in self.rows for part in row.spent())

    def waiting(self) -> Iterator[Row]:
        """The rows that may begin, in order: first those that had begun once and were interrupted."""
        able = [row for row in self.rows if row.phase is Phase.PENDING and row.number in self.chosen]
        yield from sorted(able, key=lambda row: (row.grant is None, row.number))
