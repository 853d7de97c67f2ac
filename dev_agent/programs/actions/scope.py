"""scope: hold what was staged against what the plan said would change.

The plan is the model's own word and is not trusted to be wise, only kept to: a change that grows beyond what was
announced, by accident or because some text it read told it to, is sent back or refused, as policy says. What is looked
at is git's own difference between the base and the staged tree, not the edits. Writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.solving.progress import progress_of
from dev_agent.programs.staged import required
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.solving.plan import Plan

_SAID = 5


def _scope(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    plan = progress_of(context.journal.events, context.journal.blob, base=context.base).plan
    if plan is None:
        raise AssertionError("BUG: something was staged for which there is no plan")
    outside = beyond(staged.files, plan)
    data = {
        "tree": staged.tree,
        "outside": [to_recorded(path) for path in outside],
        "reason": "",
        "explanation": "",
    }
    if not outside or context.policy.outside_plan == "allow":
        return Result("within", data)
    more = f" and {len(outside) - _SAID} more" if len(outside) > _SAID else ""
    listed = ", ".join(repr(path) for path in outside[:_SAID])
    data["reason"] = "outside_plan"
    data["explanation"] = f"the change touches files its plan does not name: {listed}{more}"
    return Result("denied" if context.policy.outside_plan == "deny" else "outside", data)


def beyond(files: Sequence[str], plan: Plan) -> list[str]:
    """The changed files that the plan does not name. Paths are compared as they are: a plan holds no patterns."""
    return [path for path in files if path not in plan.scope]


SCOPE = Declared(
    name="scope",
    outcomes=frozenset({"within", "outside", "denied"}),
    facts={
        "tree": FactType.STR,
        "outside": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_scope,
)
