"""repair: decide whether asking the proposer again can help. It never changes anything itself."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.reasons import why
from dev_agent.programs.staged import said
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _repair(context: ApplyContext, view: View) -> Result:
    reason = why(view.facts)
    seen = said(view.facts, "repair").get("fingerprint", "")
    data = {
        "reason": reason.code,
        "explanation": reason.sentence,
        "hint": reason.hint,
        "fingerprint": hashlib.sha256(
            f"{reason.code}\0{reason.sentence}".encode("utf-8", "replace")
        ).hexdigest(),
    }
    if not context.proposer.revises:
        return Result("exhausted", data)
    return Result("stuck" if seen == data["fingerprint"] else "again", data)


REPAIR = Declared(
    name="repair",
    outcomes=frozenset({"again", "exhausted", "stuck"}),
    facts={
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
        "fingerprint": FactType.STR,
    },
    run=_repair,
)
