"""What a recorded proposal comes to: the edits of one answer, resolved against the tree they were made for.

A model that repairs was shown what it had staged, so its edits are to that; all others' are to the base. Of several
answers to one question each has its own payload in the same event; which of them is staged is `tryout`'s word.
Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.model import Limits
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.programs.actions.patch import PROPOSAL
from dev_agent.programs.staged import said
from dev_agent.repository.objects import GitTree
from dev_agent.runtime.fold import LEFT
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.edits.changes import ChangeSet
    from dev_agent.programs.context import ApplyContext
    from dev_agent.runtime.events import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """A change set against `onto` ("": the base's tree), and what there is to note of how it was read."""

    change_set: ChangeSet
    onto: str
    notes: tuple[str, ...]


def resolve_proposal(context: ApplyContext, facts: Mapping[str, Any], content: bytes) -> Resolved:
    """Parse and resolve, all or nothing. Raises EditError, and RepositoryFault for a clone that lacks a file."""
    onto = str(said(facts, "brief").get("onto", ""))
    proposal = parse(content)
    change_set = resolve(
        proposal.edits,
        GitTree(context.repository, onto or context.base),
        limits=Limits(),
        max_level=MatchLevel(context.policy.max_match_level),
    )
    return Resolved(change_set=change_set, onto=onto, notes=(*proposal.notes, *change_set.notes))


def proposed(context: ApplyContext) -> Event:
    """The event by which `patch` was left last: what is staged is what the trace says was proposed."""
    for event in reversed(context.journal.events):
        if event.type == LEFT and event.data["state"] == "patch":
            return event
    raise AssertionError("BUG: a proposal was to be staged before one was recorded")


def proposals(context: ApplyContext) -> dict[int, bytes]:
    """The payloads of the last proposal by the number of the answer, from 1."""
    found: dict[int, bytes] = {}
    for blob in proposed(context).blobs:
        name, _, number = blob.role.partition("-")
        if name == PROPOSAL:
            found[int(number or 1)] = context.journal.blob(blob.commitment)
    return found


def chosen_proposal(context: ApplyContext, facts: Mapping[str, Any]) -> bytes:
    """The payload that is staged: the chosen one of several, or the only one."""
    found = proposals(context)
    return found[int(said(facts, "tryout").get("chosen", min(found))) if len(found) > 1 else min(found)]
