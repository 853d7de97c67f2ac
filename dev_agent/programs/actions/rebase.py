"""rebase: the branch moved meanwhile; put the change on its new tip, in memory, to be judged again.

Nothing of the user's is touched. The result is a new commit on a new base: every earlier verdict and approval
is about another tree and counts no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import digest, patch_text, tree_changes
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.staged import StagedCommit, required, said
from dev_agent.repository import kept
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.objects import GitTree
from dev_agent.repository.rebase import Conflicted, Rebased, rebase
from dev_agent.repository.staging import recommit
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

MOST_MOVES = 5
"""How often a branch may move under a run before it is left to the user to say when."""


def _rebase(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    tip = str(said(view.facts, "land")["tip"]) or None
    count = int(said(view.facts, "rebase").get("count", 0)) + 1
    if count > MOST_MOVES:
        kept.keep(context.repository, context.run, staged.commit)
        text = f"the branch moved {MOST_MOVES} times while the change was judged"
        return Result("busy", {"count": 0, "reason": "branch_busy", "explanation": text})
    moved = rebase(context.repository, base=staged.base, commit=staged.commit, onto=tip)
    if isinstance(moved, Conflicted) or tip is None:
        return _conflict(moved, count)
    changed = rules_changed(context, staged.base, tip)
    if changed:
        return _conflict(Conflicted(paths=changed, text="it brings other rules; start the task again"), count)
    base_tree = tree_of(context.repository, tip)
    if moved.tree == base_tree:
        text = "the branch moved meanwhile and holds this change already"
        return Result("empty", {"count": count, "reason": "", "explanation": text})
    made = recommit(context.repository, tree=moved.tree, parent=tip, like=staged.commit, run=context.run)
    again = StagedCommit(
        step=staged.step + 1, commit=made.commit, tree=made.tree, base=tip, base_tree=base_tree, files=()
    )
    patch = patch_text(tree_changes(context.repository, base_tree, made.tree))
    changes = tree_difference(context.repository, base_tree, made.tree)
    data = {
        **again.to_json(changes),
        "count": count,
        "rebased_from": staged.commit,
        "patch": digest(patch),
        "reason": "",
    }
    return Result("rebased", data, {"change.patch": patch})


def rules_changed(context: ApplyContext, base: str | None, tip: str) -> tuple[str, ...]:
    """The paths of the base's policy that read differently at the tip: a run is judged by one policy only."""
    before, after = GitTree(context.repository, base), GitTree(context.repository, tip)
    return tuple(path for path in context.own_paths if before.entry(path) != after.entry(path))


def _conflict(moved: Conflicted | Rebased, count: int) -> Result:
    paths = moved.paths if isinstance(moved, Conflicted) else ()
    text = moved.text if isinstance(moved, Conflicted) else "the branch was deleted meanwhile"
    data = {
        "count": count,
        "reason": "conflict",
        "explanation": f"the branch moved meanwhile: {text}" + (f" in {len(paths)} file(s)" if paths else ""),
        "paths": [to_recorded(path) for path in paths],
    }
    return Result("conflict", data)


REBASE = Declared(
    name="rebase",
    outcomes=frozenset({"rebased", "empty", "conflict", "busy"}),
    facts={
        "step": FactType.INT,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "base": FactType.STR,
        "base_tree": FactType.STR,
        "changes": FactType.JSON,
        "patch": FactType.STR,
        "count": FactType.INT,
        "rebased_from": FactType.STR,
        "paths": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_rebase,
)
