"""The decision of a policy on facts: the strictest finding wins, and every finding is kept with its reason and
with the facts it looked at.

Nothing can soften a decision: there is no rule that allows what another denies, and a finding added to others
can only make it stricter. The order of findings is fixed (strictest first, then by rule), so that equal
inputs give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from dev_agent.policy.facts import Facts
from dev_agent.policy.policy import Policy
from dev_agent.policy.rules import Evidence, Finding, rules_of
from dev_agent.policy.verdict import Verdict, strictest
from dev_agent.values import dataclass

__all__ = ["Decision", "Finding", "Verdict", "decide", "decide_on", "decision_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A verdict and the findings behind it, strictest first."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Plain JSON without floats."""
        return {"verdict": self.verdict.value, "findings": [one.to_json() for one in self.findings]}


def decide(policy: Policy, facts: Facts) -> Decision:
    """What the policy says to the facts."""
    return decide_on(policy, Evidence.of(facts))


def decide_on(policy: Policy, evidence: Evidence) -> Decision:
    """What the policy says to words, wherever they come from."""
    judged = (rule.judge(evidence) for rule in rules_of(policy))
    return decision_of(finding for finding in judged if finding is not None)


def decision_of(findings: Iterable[Finding]) -> Decision:
    """The decision that follows from findings, in whatever order they come."""
    ordered = tuple(sorted(findings, key=_strictest_first))
    return Decision(verdict=strictest(one.verdict for one in ordered), findings=ordered)


def _strictest_first(finding: Finding) -> tuple[int, str]:
    return (-finding.verdict.strictness, finding.rule)
