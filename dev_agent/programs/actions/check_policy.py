"""check_policy: facts about the staged change, ruled on by the policy of the base.

The facts are computed from the staged commit's own blobs, not from the proposal: whatever made the tree (an
edit, a hook, a rebase), this is what would land.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.policy.decision import decide
from dev_agent.policy.verdict import Verdict
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import tree_changes
from dev_agent.programs.change_facts import facts_on_base
from dev_agent.programs.staged import required
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.programs.context import ApplyContext


def _check_policy(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    changes = tree_changes(context.repository, staged.base_tree, staged.tree)
    settings = context.policy.settings_with(own=context.own_paths)
    facts = facts_on_base(context.repository, staged.base_tree, changes, settings)
    decision = decide(context.policy, facts)
    denials = [finding.because for finding in decision.findings if finding.verdict is Verdict.DENY]
    data: dict[str, Any] = {
        "tree": staged.tree,
        "base_tree": staged.base_tree,
        "policy": context.policy.digest,
        "verdict": decision.verdict.value,
        "asked": decision.verdict is Verdict.ASK,
        # A model's own version of a test takes the place of the base's by a person's word only.
        "asks_superseded": context.policy.gates.changed_tests == "ask" or context.asking is not None,
        "approved": _approved_tree(view.facts) == staged.tree,
        "findings": [finding.to_json() for finding in decision.findings],
        "facts": facts.to_json(),
        "reason": "policy_denied" if denials else "",
        "explanation": "; ".join(denials),
    }
    if decision.verdict is Verdict.DENY:
        return Result("repairable" if context.policy.on_denied == "repair" else "denied", data)
    return Result("asked" if data["asked"] else "allowed", data)


def _approved_tree(facts: Mapping[str, Any]) -> str:
    """The tree a person approved, "" if none was. Only the signal of the wait state counts."""
    return str(facts["approve"]["tree"]) if "approve" in facts else ""


CHECK_POLICY = Declared(
    name="check_policy",
    outcomes=frozenset({"allowed", "asked", "repairable", "denied"}),
    facts={
        "tree": FactType.STR,
        "base_tree": FactType.STR,
        "policy": FactType.STR,
        "verdict": FactType.STR,
        "asked": FactType.BOOL,
        "asks_superseded": FactType.BOOL,
        "approved": FactType.BOOL,
        "findings": FactType.JSON,
        "facts": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_check_policy,
)
