"""How a run stands or ended, and why: its last state's own words before anything older. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.programs.reasons import Reason, gate_reason, why
from dev_agent.programs.recorded_gates import BRANCHES
from dev_agent.programs.report import Outcome
from dev_agent.programs.story import Story

_WAITING = {"approve": Outcome.SUSPENDED, "kept": Outcome.KEPT, "postponed": Outcome.KEPT}
_FINALS = {outcome.value: outcome for outcome in Outcome}


def outcome_of(story: Story, *, alive: bool) -> Outcome:
    """How a run of one of our programs stands; `alive`: some process is driving it now."""
    if story.finished:
        return _FINALS.get(story.state, Outcome.FAILED)
    if alive:
        return Outcome.RUNNING
    return _WAITING.get(story.state, Outcome.INTERRUPTED)


def reason_of(story: Story, outcome: Outcome) -> Reason:
    """Return why it stands so, in one sentence; of what was let through, what was left as it was."""
    facts = story.facts
    if outcome is Outcome.COMMITTED or outcome is Outcome.VERIFIED:
        return Reason(code="", sentence=_remaining(story))
    if outcome is Outcome.NO_CHANGE:
        return Reason(code="", sentence=_nothing(story))
    if outcome is Outcome.RUNNING:
        return Reason(code="", sentence=f"the run is in state {story.state}")
    if outcome is Outcome.INTERRUPTED:
        if not story.request:
            said = "the run was cut off before what was asked of it was on record; it has done nothing"
            return Reason(code="interrupted", sentence=said)
        return Reason(code="interrupted", sentence=f"the run was interrupted in state {story.state}")
    if outcome is Outcome.SUSPENDED:
        return Reason(code="approval_needed", sentence=_asks(facts))
    if story.reason.startswith("budget_"):
        return Reason(
            code=story.reason, sentence=f"the run used up its {story.reason.removeprefix('budget_')} budget"
        )
    if outcome is Outcome.FAILED:
        return _failure(story)
    return _rejection(story)


def _nothing(story: Story) -> str:
    """Why there is no change: what the program that made none said of itself, else what the last state said."""
    last = story.path[-1].state if story.path else ""
    told = story.facts.get("patch", {}).get("explanation", "") if last == "stage" else ""
    return str(told or story.facts.get(last, {}).get("explanation", ""))


def _asks(facts: Mapping[str, Any]) -> str:
    asks = [
        one["because"] for one in facts.get("check_policy", {}).get("findings", ()) if one["verdict"] == "ask"
    ]
    superseded = facts.get("check", {}).get("tests", {}).get("superseded", 0)
    if superseded:
        asks.append(f"{superseded} test(s) of the base fail and pass only in the form the change gave them")
    return "; ".join(asks) or "policy asks for a person"


def _rejection(story: Story) -> Reason:
    """Why the change was not let through, or is kept: what the last state said, before anything older."""
    facts = story.facts
    last = story.path[-1].state if story.path else ""
    if last == "approve":
        said = str(facts["approve"].get("reason", ""))
        return Reason(code="not_approved", sentence=f"a person said no{': ' + said if said else ''}")
    if last == "check":
        return gate_reason(facts) or Reason(code="not_verified", sentence="a gate gave no verdict")
    said = facts.get(last, {})
    if last == "repair":
        # It recorded its sentence without what others said; here that may be at hand.
        found = why(facts)
        return found if found.code == said.get("reason", found.code) else _recorded(said)
    if said.get("reason"):
        return _recorded(said)
    return why(facts)


def _recorded(said: Mapping[str, Any]) -> Reason:
    return Reason(code=said["reason"], sentence=said.get("explanation", ""), hint=said.get("hint", ""))


def _failure(story: Story) -> Reason:
    last = story.path[-1].state if story.path else ""
    said = story.facts.get(last, {})
    return Reason(code="error", sentence=f"{last} failed: {said.get('message', 'no message')}")


def _remaining(story: Story) -> str:
    counts = {name: story.facts.get("check", {}).get(name, {}).get("preexisting", 0) for name in BRANCHES}
    said = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for name, noun in (("types", "type error"), ("tests", "failing test"), ("checks", "failing check"))
        if (count := counts[name])
    ]
    return f"the base's own {' and '.join(said)} still there" if said else ""
