"""stage: resolve the proposal against the base tree, all or nothing, and make the staged commit.

Writes objects and the run's private ref, nothing of the user's. Killed before the private ref moved: some
objects nobody names. After it: the staged commit stands, and the state is entered again on resume and makes
the same tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.edits.model import Limits, MatchLevel
from dev_agent.edits.parse import parse
from dev_agent.edits.resolve import resolve
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import digest, patch_text, tree_changes
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.staged import StagedCommit, current
from dev_agent.programs.trailers import trailers
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.messages import commit_message
from dev_agent.repository.objects import GitTree
from dev_agent.repository.staging import stage
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _stage(context: ApplyContext, view: View) -> Result:
    answer = context.proposer.propose()
    try:
        proposal = parse(answer.content or b"")
        change_set = resolve(
            proposal.edits,
            GitTree(context.repository, context.base),
            limits=Limits(),
            max_level=MatchLevel(context.policy.max_match_level),
        )
    except EditError as error:
        return Result(
            "unresolved", {"reason": "unresolved", "explanation": error.message, "hint": error.hint}
        )
    notes = [*proposal.notes, *change_set.notes]
    if change_set.empty:
        return Result("empty", {"reason": "", "explanation": "the patch changes nothing", "notes": notes})
    made = stage(
        context.repository,
        base=context.base,
        changes=change_set.changes,
        message=commit_message(context.task, trailers(context.journal)),
        run=context.run,
    )
    base_tree = tree_of(context.repository, context.base)
    before = current(view.facts)
    staged = StagedCommit(
        step=before.step + 1 if before else 1,
        commit=made.commit,
        tree=made.tree,
        base=context.base,
        base_tree=base_tree,
        files=(),
    )
    patch = patch_text(tree_changes(context.repository, base_tree, made.tree))
    changes = tree_difference(context.repository.git, base_tree, made.tree)
    matches = [
        {"path": to_recorded(one.path), "level": one.level.name.lower(), "line": one.line, "count": one.count}
        for one in change_set.matches
    ]
    data = {
        **staged.to_json(changes),
        "matches": matches,
        "notes": notes,
        "patch": digest(patch),
        "reason": "",
    }
    return Result("staged", data, {"change.patch": patch})


STAGE = Declared(
    name="stage",
    outcomes=frozenset({"staged", "unresolved", "empty"}),
    facts={
        "step": FactType.INT,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "base": FactType.STR,
        "base_tree": FactType.STR,
        "changes": FactType.JSON,
        "patch": FactType.STR,
        "matches": FactType.JSON,
        "notes": FactType.LIST,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
    },
    run=_stage,
)
