"""Rules: what a policy has to say about facts, one finding each.

A rule looks at facts and gives a finding or nothing; it knows no other rule. `rules_of` is the only place
that turns a policy into rules, so that another kind of rule is one class here and one line there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dev_agent.policy.catalogue import CATALOGUE, FACT_NAMES, LIMITS_EXCEEDED
from dev_agent.policy.facts import Facts
from dev_agent.policy.place import Place
from dev_agent.policy.policy import Policy
from dev_agent.policy.verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one rule found: its id, its verdict, one plain sentence, and at most 50 places."""

    rule: str
    verdict: Verdict
    because: str
    places: tuple[Place, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain JSON."""
        return {
            "rule": self.rule,
            "verdict": self.verdict.value,
            "because": self.because,
            "places": [dict(place.to_json()) for place in self.places],
        }


class Rule(Protocol):
    """Something that judges facts."""

    def judge(self, facts: Facts) -> Finding | None:
        """The finding, or None if the rule has nothing to say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnFact:
    """A fact was seen: the policy's answer to it. An allowed fact is a finding, too: a reader sees it."""

    fact: str
    verdict: Verdict

    def judge(self, facts: Facts) -> Finding | None:
        """A finding with the fact's places."""
        if not facts.count(self.fact):
            return None
        return Finding(
            rule=f"on.{self.fact}",
            verdict=self.verdict,
            because=CATALOGUE[self.fact].because,
            places=facts.places.get(self.fact, ()),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class OverLimit:
    """A count is above a limit."""

    count: str
    limit: int
    verdict: Verdict

    def judge(self, facts: Facts) -> Finding | None:
        """A finding that names both numbers."""
        found = facts.count(self.count)
        if found <= self.limit:
            return None
        because = f"The change has {found} {self.count}; the policy's limit is {self.limit}."
        return Finding(rule=f"limits.{self.count}", verdict=self.verdict, because=because)


def rules_of(policy: Policy) -> Sequence[Rule]:
    """Every rule of a policy."""
    limits = policy.limits
    numbers = {
        "files": limits.max_files,
        "lines": limits.max_lines,
        "bytes": limits.max_bytes,
        "deletions": limits.max_deletions,
    }
    return (
        *(OnFact(fact=fact, verdict=policy.on[fact]) for fact in FACT_NAMES),
        *(
            OverLimit(count=name, limit=most, verdict=policy.on[LIMITS_EXCEEDED])
            for name, most in numbers.items()
        ),
    )
