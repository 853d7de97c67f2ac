"""What the gates of a run said, from its record: verdicts in the words of the contract, and whose fault it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.programs.judged_by import said_by
from dev_agent.programs.solving.troubles import is_environment
from dev_agent.programs.story import Story
from dev_agent.runtime.canonical import thaw

BRANCHES = ("types", "tests", "checks")
ENVIRONMENT_REASONS = (
    "baseline",
    "environment",
    "sandbox",
    "interpreter",
    "infrastructure",
    "judge_",
    "tool_missing",
)
"""How the reasons of verdicts begin that say nothing about the change, only about the machine."""


def gates_of(check: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return one object a verdict; a gate that gave none is one object too."""
    return tuple(
        made
        for name in BRANCHES
        if isinstance(check.get(name), Mapping)
        for made in (_spoken(check[name]) or _silent(name, check[name]))
    )


def _spoken(branch: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**_gate(one), **said_by(branch)} for one in branch.get("verdicts", ())]


def _silent(name: str, branch: Mapping[str, Any]) -> list[dict[str, Any]]:
    if branch.get("result") == "skipped":
        return []
    said = str(branch.get("message", ""))
    return [
        {"name": name, "verdict": "error", "new_failures": [], "ms": 0, "reason": "crashed", "notes": [said]}
    ]


def _gate(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The contract's four fields first, then what explains them."""
    verdict: Any = thaw(recorded)
    kept = ("reason", "preexisting", "passed", "flaky", "superseded", "fixed", "notes", "hint", "cached")
    return {
        "name": verdict["gate"],
        "verdict": verdict["result"],
        "new_failures": verdict["new_failures"],
        "ms": verdict["ms"],
        **{key: verdict[key] for key in kept if key in verdict},
    }


def is_environment_fault(story: Story) -> bool:
    """Return whether a gate learned nothing because of the machine, or a model could not be asked.

    The exit code says so. A gate that raised left `type` and `message` instead of a verdict; if that was a bug of
    ours, it was raised.
    """
    last = story.path[-1].state if story.path else ""
    if last in ("plan", "patch") and is_environment(str(story.facts.get(last, {}).get("reason", ""))):
        return True
    branches = [one for one in story.facts.get("check", {}).values() if isinstance(one, Mapping)]
    raised = any("result" not in one for one in branches)
    reasons = [str(one.get("reason", "")) for one in branches if one.get("result") == "error"]
    return raised or any(reason.startswith(ENVIRONMENT_REASONS) for reason in reasons)
