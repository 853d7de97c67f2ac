"""Runs the in-file tests of a policy: does each rule fire where its writer said, and what does the whole say?

Words an example does not give were not seen. So an example is a small change set without files: it tests what
the rules mean, and not how facts are found.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.policy.conditions import WordKind
from dev_agent.policy.decision import decide_on
from dev_agent.policy.facts import FactValue
from dev_agent.policy.policy import Policy
from dev_agent.policy.rules import Evidence
from dev_agent.policy.team_rules import Example, TeamRule
from dev_agent.policy.vocabulary import vocabulary
from dev_agent.values import dataclass

_UNSEEN: Mapping[WordKind, FactValue] = {WordKind.BOOL: False, WordKind.INT: 0, WordKind.LIST: ()}


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleResult:
    """One in-file test that was run. `number` counts from 0 within its rule; `wrong` is "" if it holds."""

    rule: str
    number: int
    wrong: str

    @property
    def holds(self) -> bool:
        """What the writer expected is so."""
        return not self.wrong


def unseen(policy: Policy) -> Mapping[str, FactValue]:
    """Every word of a policy with the value of what was not seen."""
    return {name: _UNSEEN[word.kind] for name, word in vocabulary(policy.settings.sets).items()}


def run_examples(policy: Policy) -> tuple[ExampleResult, ...]:
    """Every in-file test of a policy, in the file's order."""
    return tuple(
        ExampleResult(rule=rule.name, number=number, wrong=_wrong(policy, rule, example))
        for rule in policy.rules
        for number, example in enumerate(rule.examples)
    )


def _wrong(policy: Policy, rule: TeamRule, example: Example) -> str:
    """What is not as the example says, in words."""
    decision = decide_on(policy, Evidence(words={**unseen(policy), **example.given}))
    fired = next((one for one in decision.findings if one.rule == rule.id), None)
    said = []
    if (fired is not None) is not example.fires:
        said.append(f"the rule {'does not fire' if example.fires else 'fires'}")
    if example.verdict is not None and decision.verdict is not example.verdict:
        rules = ", ".join(one.rule for one in decision.findings if one.verdict is decision.verdict)
        said.append(
            f'the policy says "{decision.verdict}"{f" ({rules})" if rules else ""}, not "{example.verdict}"'
        )
    return " and ".join(said)
