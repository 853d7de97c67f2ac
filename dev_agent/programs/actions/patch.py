"""patch: get the proposal: bytes, which have to be edits, or a tree, which is taken as it is.

Nothing is resolved here. The proposer is asked once; what it gave is recorded, and `stage` takes it from the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.edits.parse import parse
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.places import recorded_places
from dev_agent.programs.texts import quoted
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

PROPOSAL = "proposal"
"""The role of the blob that holds the proposed bytes."""


def _patch(context: ApplyContext, _view: View) -> Result:
    answer = context.proposer.propose()
    told = {"notes": list(answer.notes), **recorded_places(answer.places)}
    if answer.status is not None:
        told["status"] = answer.status
    if answer.tree:
        taken = {
            "format": "tree",
            "tree": answer.tree,
            "commit": answer.commit,
            "unchanged": answer.unchanged,
        }
        if not answer.nothing_done:
            return Result("proposed", {**taken, **told}, dict(answer.blobs))
        kept, texts = quoted({"explanation": answer.nothing_done})
        return Result("proposed", {**taken, **told, **kept}, {**answer.blobs, **texts})
    if answer.content is None:
        # The sentence holds the last words of a program or a type checker, and a line of the trace cannot be erased.
        declined, texts = quoted(
            {"reason": answer.reason, "explanation": answer.declined, "hint": answer.hint}
        )
        return Result("declined", {**declined, **told}, {**answer.blobs, **texts})
    blobs = {PROPOSAL: answer.content}
    try:
        proposal = parse(answer.content)
    except EditError as error:
        data, texts = quoted({"reason": "invalid_proposal", "explanation": error.message})
        return Result("invalid", data, {**blobs, **texts})
    made = {"format": proposal.format, "edits": len(proposal.edits), "notes": list(proposal.notes)}
    return Result("proposed", made, blobs)


PATCH = Declared(
    name="patch",
    outcomes=frozenset({"proposed", "invalid", "declined"}),
    facts={
        "format": FactType.STR,
        "tree": FactType.STR,
        "commit": FactType.STR,
        "edits": FactType.INT,
        "status": FactType.INT,
        "notes": FactType.LIST,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
        "unchanged": FactType.STR,
        "places": FactType.JSON,
        "texts": FactType.BOOL,
    },
    run=_patch,
)
