"""Rules: what a policy has to say about facts, one finding each.

A rule looks at facts and gives a finding or nothing; it knows no other rule. `rules_of` is the only place
that turns a policy into rules, so that another kind of rule is one class here and one line there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Protocol

from dev_agent.policy.catalogue import CATALOGUE, FACT_NAMES, LIMITS_EXCEEDED
from dev_agent.policy.errors import ConditionFailed
from dev_agent.policy.facts import Facts, FactValue
from dev_agent.policy.place import Place, shown_path
from dev_agent.policy.policy import Policy
from dev_agent.policy.team_rules import TeamRule
from dev_agent.policy.verdict import Verdict
from dev_agent.values import dataclass

_PATHS_KEPT = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one rule found: its id, its verdict, one plain sentence, the facts it looked at with their values, and
    at most 50 places. `when` is the condition of a team's own rule, "" for the others."""

    rule: str
    verdict: Verdict
    because: str
    places: tuple[Place, ...] = ()
    facts: tuple[tuple[str, FactValue], ...] = ()
    when: str = ""

    def to_json(self) -> dict[str, object]:
        """Plain JSON; at most 50 paths of a list."""
        return {
            "rule": self.rule,
            "verdict": self.verdict.value,
            "because": self.because,
            "places": [dict(place.to_json()) for place in self.places],
            "facts": {name: _plain(value) for name, value in self.facts},
            **({"when": self.when} if self.when else {}),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What rules look at: the words of `vocabulary` with their values, and the places of what was seen."""

    words: Mapping[str, FactValue]
    places: Mapping[str, tuple[Place, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, facts: Facts) -> Evidence:
        """The evidence in a change set's facts."""
        return cls(words=facts.words(), places=facts.places)

    def count(self, name: str) -> int:
        """How many times a fact was seen."""
        return int(self.words[name])  # type: ignore[arg-type]  # facts and counts are whole numbers among the words


class Rule(Protocol):
    """Something that judges facts."""

    def judge(self, evidence: Evidence) -> Finding | None:
        """The finding, or None if the rule has nothing to say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnFact:
    """A fact was seen: the policy's answer to it. An allowed fact is a finding, too: a reader sees it."""

    fact: str
    verdict: Verdict

    def judge(self, evidence: Evidence) -> Finding | None:
        """A finding with the fact's places."""
        count = evidence.count(self.fact)
        if not count:
            return None
        return Finding(
            rule=f"on.{self.fact}",
            verdict=self.verdict,
            because=CATALOGUE[self.fact].because,
            places=evidence.places.get(self.fact, ()),
            facts=((self.fact, count),),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class OverLimit:
    """A count is above a limit."""

    count: str
    limit: int
    verdict: Verdict

    def judge(self, evidence: Evidence) -> Finding | None:
        """A finding that names both numbers."""
        found = evidence.count(self.count)
        if found <= self.limit:
            return None
        because = f"The change has {found} {self.count}; the policy's limit is {self.limit}."
        return Finding(
            rule=f"limits.{self.count}", verdict=self.verdict, because=because, facts=((self.count, found),)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class WhenTrue:
    """A rule of the team's own. A condition that cannot be evaluated denies: silence would read as consent."""

    rule: TeamRule

    def judge(self, evidence: Evidence) -> Finding | None:
        """A finding with every fact the condition may look at, and the places of those that were seen."""
        names = self.rule.condition.names
        facts = tuple((name, evidence.words[name]) for name in names if name in evidence.words)
        try:
            if not self.rule.condition.holds(evidence.words):
                return None
        except ConditionFailed as failed:
            return Finding(
                rule=self.rule.id,
                verdict=Verdict.DENY,
                because=f"The rule's condition could not be evaluated: {failed.message}.",
                facts=facts,
                when=self.rule.when,
            )
        facts_seen = dict.fromkeys(name.removeprefix("paths.") for name in names)
        places = tuple(place for name in facts_seen for place in evidence.places.get(name, ()))
        return Finding(
            rule=self.rule.id,
            verdict=self.rule.then,
            because=self.rule.because,
            places=places[:_PATHS_KEPT],
            facts=facts,
            when=self.rule.when,
        )


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
        *(WhenTrue(rule=rule) for rule in policy.rules),
    )


def _plain(value: FactValue) -> object:
    return [shown_path(one) for one in value[:_PATHS_KEPT]] if isinstance(value, tuple) else value
