"""invert: compute the inverse of the landed commit on the base and stage it, as the state `stage` of `undo`.

It says which of two things came out: exactly the tree the undone run began with (`restored`), or a tree that
nobody has seen (`staged`), because other commits came in between. Only the latter has to be judged; what the base
lacks for judging is held against it here.

Writes objects and the run's private ref, nothing of the user's. Killed before the private ref moved: some objects
nobody names. After it: the staged commit stands, and the state is entered again on resume and makes the same tree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import digest, patch_text, tree_changes
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.staged import StagedCommit, current, said
from dev_agent.programs.trailers import UNDOES, message_of, trailers
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.inverse import inverse
from dev_agent.repository.messages import revert_message
from dev_agent.repository.rebase import Conflicted
from dev_agent.repository.staging import recommit
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.undoing import Undoing

_NAMED = 5


def _invert(context: ApplyContext, view: View) -> Result:
    undoing, base = context.undoing, context.base
    if undoing is None or base is None:
        raise AssertionError("BUG: an undo was begun without a commit to undo")
    repository = context.repository
    message = revert_message(
        message_of(repository, undoing.commit),
        undoing.commit,
        {**trailers(context.journal), UNDOES: undoing.commit},
    )
    made = inverse(repository, commit=undoing.commit, onto=base, message=message)
    if isinstance(made, Conflicted):
        return _conflict(made)
    base_tree = tree_of(repository, base)
    if made.tree == base_tree:
        text = "nothing of that change is left to undo: the branch reads as if it had never landed"
        return Result("empty", {"reason": "", "explanation": text})
    restores = made.tree == undoing.restores
    lacking = said(view.facts, "begin")
    if not restores and lacking.get("reason"):
        text = f"other commits came after it, so the result has to be judged, but {lacking['explanation']}"
        return Result("refused", {"reason": lacking["reason"], "explanation": text})
    return _staged(context, view, undoing, base_tree=base_tree, tree=made.tree, draft=made.draft)


def _staged(
    context: ApplyContext, view: View, undoing: Undoing, *, base_tree: str, tree: str, draft: str
) -> Result:
    repository, base = context.repository, str(context.base)
    made = recommit(repository, tree=tree, parent=base, like=draft, run=context.run)
    before = current(view.facts)
    staged = StagedCommit(
        step=before.step + 1 if before else 1,
        commit=made.commit,
        tree=made.tree,
        base=base,
        base_tree=base_tree,
        files=(),
    )
    restored = made.tree == undoing.restores
    patch = patch_text(tree_changes(repository, base_tree, made.tree))
    data: dict[str, Any] = {
        **staged.to_json(tree_difference(repository, base_tree, made.tree)),
        "undoes": undoing.commit,
        "patch": digest(patch),
        "reason": "",
    }
    return Result("restored" if restored else "staged", data, {"change.patch": patch})


def _conflict(found: Conflicted) -> Result:
    """Where the later commits are in the way; what merge-tree could not do is all that stops an undo here."""
    named = ", ".join(os.fsencode(path).decode("utf-8", "replace") for path in found.paths[:_NAMED])
    more = f" and {len(found.paths) - _NAMED} more" if len(found.paths) > _NAMED else ""
    data = {
        "reason": "conflict",
        "explanation": f"later commits changed the same places: {named}{more}" if named else found.text,
        "hint": "undo the later runs first, or take it back by hand with git revert",
        "paths": [to_recorded(path) for path in found.paths],
    }
    return Result("conflict", data)


INVERT = Declared(
    name="invert",
    outcomes=frozenset({"restored", "staged", "refused", "conflict", "empty"}),
    facts={
        "step": FactType.INT,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "base": FactType.STR,
        "base_tree": FactType.STR,
        "changes": FactType.JSON,
        "undoes": FactType.STR,
        "patch": FactType.STR,
        "paths": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "hint": FactType.STR,
    },
    run=_invert,
)
