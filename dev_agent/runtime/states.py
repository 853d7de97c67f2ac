"""The parts of a program as values: states and what belongs to them. Plain data, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType

from dev_agent.runtime.canonical import Json
from dev_agent.values import dataclass

ERROR = "error"
OTHERWISE = "otherwise"
INPUT = "input"


class FactType(StrEnum):
    """The declared type of a fact. LIST is a list of text; no condition can use JSON or PAYLOAD.

    A PAYLOAD is text beside the trace: the blob of the fact's own name in the same Result. No line of the trace holds
    it, only its commitment; so it may be long, can be erased, and is there for models to be shown.
    """

    BOOL = "bool"
    INT = "int"
    STR = "str"
    LIST = "list"
    JSON = "json"
    PAYLOAD = "payload"


class Kind(StrEnum):
    """What a state does: run an action, choose by conditions, fork and join, wait for a signal, or end."""

    ACTION = "action"
    CHOOSE = "choose"
    PARALLEL = "parallel"
    WAIT = "wait"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try a state again in place while its outcome is one of `on`: at most `attempts` runs per visit.

    Attempt n+1 waits min(backoff_ms * 2**(n-1), cap_ms) milliseconds.
    """

    attempts: int
    on: tuple[str, ...]
    backoff_ms: int = 0
    cap_ms: int = 30_000

    def wait_ms(self, attempt: int) -> int:
        """Return how long to wait after attempt number `attempt` (from 1)."""
        # The exponent is bounded first: attempts is data, and may ask for a number of a million bits.
        return min(self.backoff_ms << min(attempt - 1, 40), self.cap_ms)

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content."""
        return {
            "attempts": self.attempts,
            "on": sorted(self.on),
            "backoff_ms": self.backoff_ms,
            "cap_ms": self.cap_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One branch of a parallel state: its name there, the action it runs, and what a model there is shown."""

    name: str
    action: str
    shows: tuple[str, ...] = ()

    def to_json(self) -> list[Json]:
        """Return the canonical content."""
        return [self.name, self.action, *([sorted(self.shows)] if self.shows else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRow:
    """One row of a join table: if any (or all) branch outcomes are in `outcomes`, it is `outcome`."""

    every: bool
    outcomes: tuple[str, ...]
    outcome: str

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content."""
        return {"all" if self.every else "any": sorted(self.outcomes), "outcome": self.outcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a choose state: if the condition `when` holds, the state's outcome is `outcome`."""

    when: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One state. `on` is its row of the transition table; which other fields matter depends on `kind`.

    `shows` are the facts, dotted, that the state's action may see if it feeds a model.
    """

    name: str
    kind: Kind
    on: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    action: str = ""
    branches: tuple[Branch, ...] = ()
    join: tuple[JoinRow, ...] = ()
    cases: tuple[Case, ...] = ()
    facts: Mapping[str, FactType] = field(default_factory=lambda: MappingProxyType({}))
    retry: Retry | None = None
    visits: int | None = None
    timeout_ms: int | None = None
    durable: bool = False
    refuses: bool = False
    shows: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content: every field that says something for this kind."""
        content: dict[str, Json] = {
            "kind": self.kind.value,
            "on": dict(self.on),
            "action": self.action,
            "branches": [branch.to_json() for branch in self.branches],
            "join": [row.to_json() for row in self.join],
            "cases": [[case.when, case.outcome] for case in self.cases],
            "facts": {name: kind.value for name, kind in self.facts.items()},
            "retry": self.retry.to_json() if self.retry else None,
            "visits": self.visits,
            "timeout_ms": self.timeout_ms,
            "durable": self.durable,
            "refuses": self.refuses,
            "shows": sorted(self.shows),
        }
        return {key: value for key, value in content.items() if value not in (None, "", [], {}, False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Limits on one run; None is no limit; `money` in micro-units. `exceeded` is the final they end in."""

    transitions: int | None = None
    model_calls: int | None = None
    tokens: int | None = None
    money: int | None = None
    wall_ms: int | None = None
    stalled: int | None = None
    exceeded: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content: the limits that are set."""
        content: dict[str, Json] = {
            "transitions": self.transitions,
            "model_calls": self.model_calls,
            "tokens": self.tokens,
            "money": self.money,
            "wall_ms": self.wall_ms,
            "stalled": self.stalled,
            "exceeded": self.exceeded or None,
        }
        return {key: value for key, value in content.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A gate of an invariant: the edges of `state` under one of `outcomes`."""

    state: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """Every path from one of `sources` to one of `targets` takes, for each gate, one of its passing edges."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    through: tuple[Passing, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content."""
        return {
            "name": self.name,
            "from": sorted(self.sources),
            "to": sorted(self.targets),
            "through": [[gate.state, sorted(gate.outcomes)] for gate in self.through],
        }
