"""What was looked at when a run was verified, and how each look ended. Values only."""

from __future__ import annotations

from enum import StrEnum

from dev_agent.values import dataclass


class Mark(StrEnum):
    """How one check ended."""

    OK = "ok"
    BAD = "bad"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    mark: Mark
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """All checks of one run. `first_bad` is the sequence number of the first bad event, None if the chain is whole."""

    run: str
    events: int
    head: str
    first_bad: int | None
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if nothing was found to be wrong."""
        return all(check.mark is not Mark.BAD for check in self.checks)
