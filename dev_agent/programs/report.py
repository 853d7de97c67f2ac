"""The result of a run as every surface shows it: one object, the exit code it stands for, its JSON contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from dev_agent.programs.cost import FREE, Cost
from dev_agent.programs.places import place_json
from dev_agent.programs.reproducing import Reproduced
from dev_agent.recipes.model import Place
from dev_agent.values import dataclass

Json = Any  # JSON values as read from a trace; narrowed where they are used


class Outcome(StrEnum):
    """How a run stands."""

    COMMITTED = "committed"
    VERIFIED = "verified"
    NO_CHANGE = "no_change"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    KEPT = "kept"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    RUNNING = "running"


_EXIT_CODES = {
    Outcome.COMMITTED: 0,
    Outcome.VERIFIED: 0,
    Outcome.NO_CHANGE: 0,
    Outcome.REJECTED: 1,
    Outcome.FAILED: 3,
    Outcome.SUSPENDED: 5,
    Outcome.KEPT: 6,
    Outcome.INTERRUPTED: 130,
    Outcome.RUNNING: 3,
}
_ENVIRONMENT, _BUDGET = 3, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReport:
    """What a run ended with. Everything in it is computed from the run's trace.

    `reason` is a stable code, `explanation` one plain sentence, `advice` what to do next (either may be empty).
    `gates` are verdicts as JSON objects, `cost` whole numbers (milliseconds, calls, tokens; null where a price is not
    known), `spent` what of it went to models. `reproduced` says whether a test shows the task itself to be solved, None
    where no model was asked for one. `places` are lines of the base that the proposer speaks of; `places_more` counts
    those that were not kept. `conflicts` are the paths a merge failed on.
    """

    run: str
    task: str
    outcome: Outcome
    reason: str
    explanation: str
    advice: str
    base: str
    commit: str | None
    tree: str | None
    branch: str | None
    files: tuple[str, ...]
    policy: Mapping[str, Json]
    gates: tuple[Mapping[str, Json], ...]
    cost: Mapping[str, int | None]
    receipt: str | None
    trace: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    environment_fault: bool = field(default=False)
    proposer: str = ""
    places: tuple[Place, ...] = ()
    places_more: int = 0
    conflicts: tuple[str, ...] = ()
    spent: Cost = FREE
    reproduced: Reproduced | None = None

    @property
    def exit_code(self) -> int:
        """0 landed or verified · 1 rejected · 3 environment · 4 budget · 5 suspended · 6 kept · 130 interrupted."""
        if self.outcome is Outcome.REJECTED and self.reason.startswith("budget_"):
            return _BUDGET
        if self.outcome is Outcome.REJECTED and self.environment_fault:
            return _ENVIRONMENT
        return _EXIT_CODES[self.outcome]

    def to_json(self) -> dict[str, Json]:
        """The result object of `--json`. Its keys are a contract; `places` and `conflicts` only if there are any."""
        return {
            "run": self.run,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "base": self.base,
            "commit": self.commit,
            "tree": self.tree,
            "branch": self.branch,
            "files": list(self.files),
            "policy": dict(self.policy),
            "gates": [dict(gate) for gate in self.gates],
            "cost": dict(self.cost),
            "receipt": self.receipt,
            "trace": self.trace,
            **({"reproduced": self.reproduced.to_json()} if self.reproduced else {}),
            **({"places": [place_json(one) for one in self.places]} if self.places else {}),
            **({"conflicts": list(self.conflicts)} if self.conflicts else {}),
        }
