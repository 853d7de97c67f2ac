"""The second proof, at the door: does the evidence a run holds permit landing this very commit?

The program's graph already proves that no path reaches `land` around a gate. This looks at the recorded facts
instead and knows nothing of the graph, so that a wrong program, a wrong resume or a wrong engine is caught too.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.programs.staged import StagedCommit

if TYPE_CHECKING:
    from dev_agent.programs.undoing import Undoing

_GATES = ("types", "tests", "checks")


def missing_evidence(
    facts: Mapping[str, Any],
    staged: StagedCommit,
    policy_digest: str,
    undoing: Undoing | None = None,
    *,
    judged_from: str = "",
) -> str:
    """What is missing or about something else, as one sentence; "" if everything is there.

    `judged_from` is the tree the gates had to compare with, if that is not the base's.

    An undo needs none for the tree that the undone run itself began with, as that run's own trace names it. For
    any other tree it needs the same but policy's consent: a person named the run to be undone.
    """
    if undoing is not None and staged.tree == undoing.restores:
        return ""
    policy = facts.get("check_policy")
    if policy is None or (policy["tree"], policy["base_tree"]) != (staged.tree, staged.base_tree):
        return "the policy decision is about another tree"
    if policy["policy"] != policy_digest:
        return "the policy decision was made by another policy"
    if undoing is None and policy["verdict"] not in ("allow", "ask"):
        return "policy did not allow the change"
    verdicts = facts.get("check", {})
    judged_from = judged_from or staged.base_tree
    for gate in _GATES:
        verdict = verdicts.get(gate)
        if verdict is None or (verdict["tree"], verdict["base_tree"]) != (staged.tree, judged_from):
            return f"the verdict of {gate} is about another tree"
        if verdict["result"] not in ("passed", "skipped"):
            return f"{gate} did not pass"
    if undoing is not None:
        return ""
    lack = _lacks_reproduction(facts, staged)
    if lack:
        return lack
    superseded = policy["asks_superseded"] and verdicts["tests"]["superseded"]
    if (policy["verdict"] == "ask" or superseded) and facts.get("approve", {}).get("tree") != staged.tree:
        return "policy asks for a person, and nobody approved this very tree"
    return ""


def _lacks_reproduction(facts: Mapping[str, Any], staged: StagedCommit) -> str:
    """What is missing of the test that shows the task to be solved, in a run that looks for one."""
    if "reproduce" not in facts.get("input", {}):
        return ""
    said = facts.get("reproduce", {})
    if (said.get("tree"), said.get("base_tree")) != (staged.tree, staged.base_tree):
        return "the look for a test that shows the task to be solved was at another tree"
    if "require" in (said["wish"], facts["input"]["reproduce"]) and not said["tests"]:
        return "a test that shows the task to be solved is required, and there is none"
    return ""
