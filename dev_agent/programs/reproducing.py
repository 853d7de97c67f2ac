"""Whether a run asks its change for a test that shows the task to be solved, and what it was told. Pure.

The caller's word holds for every change. A policy's holds for changes that mend something, and that a change does is
the plan's word, so the model's: who wants to rely on it says `--reproduce`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dev_agent.programs.staged import said
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.story import Story

BY_POLICY = "policy"
"""The input `reproduce` where the caller says nothing."""

_MENDS = "fix"


class Wish(StrEnum):
    """How much a test that shows the task to be solved is wanted."""

    OFF = "off"
    TRY = "try"
    REQUIRE = "require"


class Answer(StrEnum):
    """Whether the task itself was shown to be solved."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reproduced:
    """The answer, the tests that show it, and where there are none the reason code of the gate."""

    answer: Answer
    tests: tuple[str, ...] = ()
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form of reports and receipts."""
        return {"answer": self.answer.value, "tests": list(self.tests), "reason": self.reason}

    @property
    def sentence(self) -> str:
        """What a reader of the commit should know; "" if there is nothing to add."""
        if self.answer is Answer.YES:
            return f"shown by a test that fails without the change: {', '.join(self.tests[:3])}"
        if self.answer is Answer.NO:
            return f"no test shows the task itself to be solved ({self.reason}); what was there before still works"
        return ""


def wish_of(facts: Mapping[str, Any], policy: str) -> Wish:
    """What the run wants; `policy` is the policy's word for changes that mend something."""
    word = str(said(facts, "input").get("reproduce", Wish.OFF))
    if word != BY_POLICY:
        return Wish(word)
    # Before there is a plan it may become a change that mends something.
    kind = said(facts, "plan").get("kind", _MENDS)
    return Wish(policy) if kind == _MENDS else Wish.OFF


def reproduced_in(story: Story) -> Reproduced | None:
    """What a run was shown about its own task; None for a run in which no model could be asked for it.

    Only what was shown for the tree that is current counts: a rebase makes another.
    """
    if "reproduce" not in story.inputs:
        return None
    said_last = said(story.facts, "reproduce")
    steps = [said(story.facts, state) for state in ("stage", "hooks", "rebase")]
    trees = [(int(one["step"]), str(one["tree"])) for one in steps if one.get("tree")]
    if not said_last.get("tree") or not trees or max(trees)[1] != said_last["tree"]:
        return Reproduced(answer=Answer.NOT_ASKED)
    if said_last.get("wish") == Wish.OFF:
        return Reproduced(answer=Answer.NOT_ASKED)
    tests = tuple(str(one) for one in said_last.get("tests", ()))
    return Reproduced(
        answer=Answer.YES if tests else Answer.NO, tests=tests, reason=str(said_last.get("verdict", ""))
    )
