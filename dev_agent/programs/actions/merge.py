"""merge, remerge: compute the merge of head and base in git's own objects, and stage it as the run's commit.

`merge` is the state `stage` of `premerge`. `remerge` follows a landing that found the base somewhere else: the same
head on the new tip is a new tree, and every earlier verdict and approval is about another one.

Nothing of the head is checked out and nothing of it decides anything here. Writes objects and the run's private ref.
Killed before the private ref moved: some objects nobody names. After it: the staged commit stands, and the state is
entered again on resume and makes the same tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.errors import RepositoryFault
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.actions.rebase import MOST_MOVES, rules_changed
from dev_agent.programs.change import digest, excess_of, patch_text, tree_changes
from dev_agent.programs.paths import recordable, to_recorded
from dev_agent.programs.staged import StagedCommit, current, landing_of, required, said
from dev_agent.programs.trailers import trailers
from dev_agent.repository import kept
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.identity import user_identity
from dev_agent.repository.merge import Contained, Merged, contains, merge
from dev_agent.repository.messages import commit_message
from dev_agent.repository.rebase import Conflicted
from dev_agent.repository.refs import set_ref
from dev_agent.repository.staging import commit_tree, staged_ref
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.merging import Merging

_NAMED = 5


def _merge(context: ApplyContext, view: View) -> Result:
    base = context.base
    if base is None:
        raise AssertionError("BUG: a merge was begun without a base")
    return _merged_onto(context, view, base, refused="refused", more={})


def _remerge(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    tip = str(landing_of(view.facts).get("tip", "")) or None
    count = int(said(view.facts, "rebase").get("count", 0)) + 1
    if count > MOST_MOVES:
        kept.keep(context.repository, context.run, staged.commit)
        text = f"the base moved {MOST_MOVES} times while the merge was judged"
        return Result("busy", {"count": 0, "reason": "branch_busy", "explanation": text})
    if tip is None or staged.base is None or not contains(context.repository, tip, staged.base):
        text = "the base was deleted or rewritten while the merge was judged; start again"
        return _conflict(Conflicted(paths=(), text=text), {"count": count})
    changed = rules_changed(context, staged.base, tip)
    if changed:
        text = "the base moved meanwhile and brings other rules; start again"
        return _conflict(Conflicted(paths=changed, text=text), {"count": count})
    return _merged_onto(context, view, tip, refused="conflict", more={"count": count})


def _merged_onto(
    context: ApplyContext, view: View, base: str, *, refused: str, more: Mapping[str, Any]
) -> Result:
    merging = _merging(context)
    try:
        made = _tree(context, merging, base)
        if isinstance(made, Conflicted):
            return _conflict(made, more)
        base_tree = tree_of(context.repository, base)
        if isinstance(made, Contained) or made.tree == base_tree:
            text = "the base holds all of the head already"
            return Result("empty", {**more, "reason": "", "explanation": text})
        excess = excess_of(context.repository, tree_difference(context.repository, base_tree, made.tree))
    except RepositoryFault as fault:
        # A shallow or partial clone may lack what the merge is about; nothing is fetched unasked.
        told = {"reason": fault.code, "explanation": fault.message, "hint": fault.hint}
        return Result(refused, {**more, **told})
    if excess:
        hint = "merge it in smaller parts, or keep large files out of the repository"
        return Result(refused, {**more, "reason": "too_large", "explanation": excess, "hint": hint})
    return _staged(context, view, merging, made, base=base, base_tree=base_tree, more=more)


def _tree(context: ApplyContext, merging: Merging, base: str) -> Merged | Contained | Conflicted:
    if merging.as_is:
        return Merged(tree=tree_of(context.repository, merging.head), forward=True)
    return merge(context.repository, base=base, head=merging.head)


def _staged(
    context: ApplyContext,
    view: View,
    merging: Merging,
    made: Merged,
    *,
    base: str,
    base_tree: str,
    more: Mapping[str, Any],
) -> Result:
    repository = context.repository
    if made.forward and not merging.own_commit:
        commit = merging.head
    else:
        commit = commit_tree(
            repository,
            tree=made.tree,
            parents=(base, merging.head),
            message=commit_message(merging.title, trailers(context.journal)),
            identity=context.identity or user_identity(repository),
            sign=context.sign,
        )
    set_ref(repository, staged_ref(context.run), commit, reason=f"dev-agent: merge {context.run}")
    before = current(view.facts)
    staged = StagedCommit(
        step=before.step + 1 if before else 1,
        commit=commit,
        tree=made.tree,
        base=base,
        base_tree=base_tree,
        files=(),
    )
    patch = patch_text(tree_changes(repository, base_tree, made.tree))
    data = {
        **more,
        **staged.to_json(tree_difference(repository, base_tree, made.tree)),
        "forward": made.forward,
        "notes": [],
        "patch": digest(patch),
        "reason": "",
    }
    return Result("staged", data, {"change.patch": patch})


def _conflict(made: Conflicted, more: Mapping[str, Any]) -> Result:
    named = ", ".join(made.paths[:_NAMED]) + (", …" if len(made.paths) > _NAMED else "")
    data = {
        **more,
        "reason": "conflict",
        "explanation": made.text + (f" in {len(made.paths)} file(s): {recordable(named)}" if named else ""),
        "paths": [to_recorded(path) for path in made.paths],
        "hint": "merge the base into the head, resolve the conflicts there, and push that",
    }
    return Result("conflict", data)


def _merging(context: ApplyContext) -> Merging:
    if context.merging is None:
        raise AssertionError("BUG: a merge was begun without anything to merge")
    return context.merging


_FACTS = {
    "step": FactType.INT,
    "commit": FactType.STR,
    "tree": FactType.STR,
    "base": FactType.STR,
    "base_tree": FactType.STR,
    "changes": FactType.JSON,
    "patch": FactType.STR,
    "forward": FactType.BOOL,
    "paths": FactType.JSON,
    "notes": FactType.LIST,
    "reason": FactType.STR,
    "explanation": FactType.STR,
    "hint": FactType.STR,
}

MERGE = Declared(
    name="merge",
    outcomes=frozenset({"staged", "conflict", "refused", "empty"}),
    facts=_FACTS,
    run=_merge,
)
REMERGE = Declared(
    name="remerge",
    outcomes=frozenset({"staged", "conflict", "empty", "busy"}),
    facts={**_FACTS, "count": FactType.INT},
    run=_remerge,
)
