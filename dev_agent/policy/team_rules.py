"""A team's own rule: a condition, a verdict, a reason, and the examples that prove it means what they meant.

    [[rules]]
    name = "large_untested"
    when = "lines_added > 400 and not touches_tests"
    then = "ask"                                     "allow" | "ask" | "deny"
    because = "That much new code comes with tests."
    [[rules.test]]
    given = { lines_added = 500 }                    words not given were not seen: 0, false, empty
    fires = true
    verdict = "ask"                                  optional: of the whole policy on these facts

A rule can only make a decision stricter. One that says "allow" is noted wherever it holds, with its reason, in
the decision, the receipt and `policy explain`; it lifts nothing that another rule asks about or denies.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.policy.conditions import Condition
from dev_agent.policy.verdict import Verdict
from dev_agent.values import dataclass

Given = Mapping[str, bool | int | tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One in-file test: words, whether the rule fires, and maybe the verdict of the whole policy."""

    given: Given
    fires: bool
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamRule:
    """One rule of `[[rules]]`. `when` is the text of `condition`."""

    name: str
    when: str
    condition: Condition
    then: Verdict
    because: str
    examples: tuple[Example, ...] = ()

    @property
    def id(self) -> str:
        """The id findings carry."""
        return f"rules.{self.name}"

    def content(self) -> list[str]:
        """What the rule means, for the policy's digest; its examples mean nothing to a decision."""
        return [self.name, self.when, self.then.value, self.because]
