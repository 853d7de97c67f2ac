"""An attack as a value: what is attempted, which defence has to stop it, and how to see whether it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import field
from typing import TYPE_CHECKING, Any

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground


@dataclass(frozen=True, kw_only=True, slots=True)
class Strike:
    """What one attempt came to.

    stopped   whether the attack failed to reach its aim, judged by what is there afterwards, not by what was said
    by        what stopped it, in the words of the thing that did: an outcome, a rule, an error's message
    detail    a sentence about what was seen, for either ending
    before    digest of what the attack was after (a repository's state, a trace, a file), before it
    after     the same afterwards; equal where nothing was to change
    metrics   counts that were computed from what happened; never constants
    """

    stopped: bool
    by: str
    detail: str
    before: str
    after: str
    metrics: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attack:
    """One attack. `word` is how its being stopped is called; `disarm` switches `defence` off while inside."""

    name: str
    attempt: str
    defence: str
    strike: Callable[[Ground], Strike]
    disarm: Callable[[], AbstractContextManager[None]]
    word: str = "BLOCKED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One attack made once. `armed` says whether the defence was on; `strike` is None if it could not be made."""

    attack: Attack
    armed: bool
    strike: Strike | None
    trouble: str = ""
    ms: int = 0

    @property
    def as_promised(self) -> bool:
        """True if it was stopped with the defence, or succeeded without."""
        return self.strike is not None and self.strike.stopped is self.armed

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        strike = self.strike
        return {
            "attack": self.attack.name,
            "attempt": self.attack.attempt,
            "defence": self.attack.defence,
            "armed": self.armed,
            "outcome": self.outcome,
            "as_promised": self.as_promised,
            "stopped": strike.stopped if strike else None,
            "by": strike.by if strike else "",
            "detail": strike.detail if strike else self.trouble,
            "before": strike.before if strike else "",
            "after": strike.after if strike else "",
            "metrics": dict(strike.metrics) if strike else {},
            "ms": self.ms,
        }

    @property
    def outcome(self) -> str:
        """The word for what happened."""
        if self.strike is None:
            return "NOT MADE"
        return self.attack.word if self.strike.stopped else "SUCCEEDED"
