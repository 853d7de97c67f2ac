"""What the engine hands back: how a drive ended, and what is known then."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dev_agent.runtime.canonical import Json
from dev_agent.values import dataclass


class EndingKind(StrEnum):
    """Why the engine handed control back."""

    FINAL = "final"
    SUSPENDED = "suspended"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a drive ended.

    state, reason   for FINAL the final and the outcome that led there, or budget_<which>; for SUSPENDED the
                    waiting state; for INTERRUPTED the state to be entered (again) on resume
    previous        the state left last
    facts           frozen, as in View.facts
    """

    kind: EndingKind
    state: str
    reason: str
    previous: str
    facts: Mapping[str, Json]
