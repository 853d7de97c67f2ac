"""stage: resolve the proposal against the base tree, all or nothing, and make the staged commit.

In the program `solve` the tree is the one the model was shown, as `brief` recorded it: the base's, or what it staged
before. The commit is on the base in either case, and holds the whole difference.

A proposal that is a tree needs no resolving: the tree is staged as it is, within bounds of size. If a commit that
has it exists already, that commit is the staged one.

Writes objects and the run's private ref, nothing of the user's. Killed before the private ref moved: some
objects nobody names. After it: the staged commit stands, and the state is entered again on resume and makes
the same tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.edits.errors import EditError
from dev_agent.errors import RepositoryFault
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import digest, excess_of, patch_text, tree_changes
from dev_agent.programs.commit_message import message_of_run
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.resolving import chosen_proposal, resolve_proposal
from dev_agent.programs.staged import StagedCommit, current, said
from dev_agent.programs.texts import quoted
from dev_agent.programs.trailers import trailers
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.identity import user_identity
from dev_agent.repository.messages import commit_message
from dev_agent.repository.refs import set_ref
from dev_agent.repository.staging import commit_tree, stage, staged_ref
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext


def _stage(context: ApplyContext, view: View) -> Result:
    if context.asking is not None:
        context.asking.forget()
    try:
        return _stage_proposal(context, view)
    except RepositoryFault as refused:
        # A shallow or partial clone may lack what the change is about; nothing is fetched unasked.
        return Result(
            "unresolved", {"reason": refused.code, "explanation": refused.message, "hint": refused.hint}
        )


def _stage_proposal(context: ApplyContext, view: View) -> Result:
    proposed = said(view.facts, "patch")
    if proposed.get("tree"):
        return _stage_tree(context, view, proposed)
    try:
        resolved = resolve_proposal(context, view.facts, chosen_proposal(context, view.facts))
    except EditError as error:
        return Result(
            "unresolved",
            *quoted({"reason": "unresolved", "explanation": error.message, "hint": error.hint}),
        )
    change_set, notes = resolved.change_set, list(resolved.notes)
    if change_set.empty:
        return Result("empty", {"reason": "", "explanation": "the patch changes nothing", "notes": notes})
    made = stage(
        context.repository,
        base=context.base,
        changes=change_set.changes,
        message=message_of_run(context),
        run=context.run,
        identity=context.identity,
        sign=context.sign,
        onto=resolved.onto or None,
    )
    if made.tree == tree_of(context.repository, context.base):
        return Result(
            "empty", {"reason": "", "explanation": "the patch leads back to the base", "notes": notes}
        )
    matches = [
        {"path": to_recorded(one.path), "level": one.level.name.lower(), "line": one.line, "count": one.count}
        for one in change_set.matches
    ]
    return _staged(context, view, (made.commit, made.tree), notes=notes, matches=matches)


def _stage_tree(context: ApplyContext, view: View, proposed: Mapping[str, Any]) -> Result:
    tree, commit = str(proposed["tree"]), str(proposed["commit"])
    base_tree = tree_of(context.repository, context.base)
    changes = tree_difference(context.repository, base_tree, tree)
    if not changes:
        why = str(proposed.get("unchanged", "")) or "nothing differs from the base"
        return Result("empty", {"reason": "", "explanation": why, "notes": []})
    excess = excess_of(context.repository, changes)
    if excess:
        hint = "judge a smaller part of it, or keep large files out of the repository"
        return Result("unresolved", {"reason": "too_large", "explanation": excess, "hint": hint})
    made = commit or commit_tree(
        context.repository,
        tree=tree,
        parents=() if context.base is None else (context.base,),
        message=commit_message(context.task, trailers(context.journal)),
        identity=context.identity or user_identity(context.repository),
        sign=context.sign,
    )
    set_ref(context.repository, staged_ref(context.run), made, reason=f"dev-agent: stage {context.run}")
    return _staged(context, view, (made, tree), notes=[], matches=[])


def _staged(
    context: ApplyContext,
    view: View,
    made: tuple[str, str],
    *,
    notes: list[str],
    matches: list[dict[str, Any]],
) -> Result:
    commit, tree = made
    base_tree = tree_of(context.repository, context.base)
    before = current(view.facts)
    staged = StagedCommit(
        step=before.step + 1 if before else 1,
        commit=commit,
        tree=tree,
        base=context.base,
        base_tree=base_tree,
        files=(),
    )
    patch = patch_text(tree_changes(context.repository, base_tree, tree))
    changes = tree_difference(context.repository, base_tree, tree)
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
        "texts": FactType.BOOL,
    },
    run=_stage,
)
