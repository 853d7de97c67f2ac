"""begin: record what the run rests on, and refuse what policy says cannot be judged here.

Everything was resolved before the run was made; from here on only this record counts: base, policy, target,
confinement, interpreter, tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _begin(context: ApplyContext, _view: View) -> Result:
    preflight = context.judges.preflight(str(context.snapshot["base_tree"]))
    rules = context.policy.gates
    lacking = [
        (gate, rule)
        for gate, present, mode, rule in (
            ("tests", preflight.has_tests, rules.tests, rules.no_tests),
            ("types", preflight.has_types, rules.types, rules.no_types),
        )
        if not present and mode != "off"
    ]
    data = {
        **context.snapshot,
        "proposer": context.proposer.name,
        "lacks": [gate for gate, _ in lacking],
        "notes": list(preflight.missing),
        "reason": "",
        "explanation": "",
    }
    denied = [gate for gate, rule in lacking if rule == "deny"]
    if not denied:
        return Result("ready", data)
    data["reason"] = f"no_{denied[0]}"
    data["explanation"] = (
        f"there are no {' and no '.join(denied)} to judge by, and policy {context.policy.name} wants them"
    )
    return Result("refused", data)


BEGIN = Declared(
    name="begin",
    outcomes=frozenset({"ready", "refused"}),
    facts={
        "lacks": FactType.LIST,
        "notes": FactType.LIST,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_begin,
)
