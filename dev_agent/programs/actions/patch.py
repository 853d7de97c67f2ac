"""patch: get the proposal's bytes and see that they are edits. Nothing is resolved here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.edits.parse import parse
from dev_agent.programs.actions.declared import Declared
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _patch(context: ApplyContext, _view: View) -> Result:
    answer = context.proposer.propose()
    if answer.content is None:
        return Result("declined", {"reason": "declined", "explanation": answer.declined})
    blobs = {"proposal": answer.content}
    try:
        proposal = parse(answer.content)
    except EditError as error:
        return Result("invalid", {"reason": "invalid_proposal", "explanation": error.message}, blobs)
    data = {"format": proposal.format, "edits": len(proposal.edits), "notes": list(proposal.notes)}
    return Result("proposed", data, blobs)


PATCH = Declared(
    name="patch",
    outcomes=frozenset({"proposed", "invalid", "declined"}),
    facts={
        "format": FactType.STR,
        "edits": FactType.INT,
        "notes": FactType.LIST,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_patch,
)
