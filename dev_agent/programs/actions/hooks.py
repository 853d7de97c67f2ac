"""hooks: what the user's own `git commit` would run, run on the staged tree before it is judged.

A hook that fails stops the run; one that rewrites files or the message gives a new staged commit, and it is that
one which policy and gates judge. Policy may say `skip`, which the receipt then states; it is never silent.

Killed anywhere: a scratch folder its next maker removes, and at most a private ref already moved; the state is
entered again on resume and starts from the same staged tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.change import digest, patch_text, tree_changes
from dev_agent.programs.staged import StagedCommit, required
from dev_agent.programs.trailers import message_of, with_trailers
from dev_agent.repository.hook_clone import MESSAGE, OBJECTS, Draft, make_clone, message_after, tree_after
from dev_agent.repository.identity import user_identity
from dev_agent.repository.objects import GitTree
from dev_agent.repository.refs import set_ref
from dev_agent.repository.scratch import scratch
from dev_agent.repository.staging import commit_tree, staged_ref
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.repository.user_hooks import UserHooks, find_hooks
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

_SKIP = "skip"
_DETACHED = "dev-agent-detached"


def _hooks(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    hooks = find_hooks(context.repository, GitTree(context.repository, context.base))
    data: dict[str, Any] = {"ran": [], "skipped": [], "notes": [], "reason": "", "explanation": ""}
    if hooks is None:
        return Result("passed", data)
    if context.policy.hooks == _SKIP:
        said = f"hooks skipped by policy {context.policy.name}: {', '.join(hooks.names)}"
        return Result("passed", {**data, "skipped": list(hooks.names), "notes": [said]})
    return _run(context, staged, hooks, data)


def _run(context: ApplyContext, staged: StagedCommit, hooks: UserHooks, data: dict[str, Any]) -> Result:
    repository = context.repository
    message = message_of(repository, staged.commit)
    kept = repository.common_dir / "objects"
    objects = (OBJECTS if context.judges.confined else kept, kept)
    with scratch(repository) as place:
        clone = make_clone(
            repository,
            place,
            hooks,
            Draft(
                tree=staged.tree,
                base=staged.base,
                branch=_DETACHED
                if context.target.ref == "HEAD"
                else context.target.ref.removeprefix("refs/heads/"),
                message=message,
                identity=user_identity(repository),
            ),
            objects=objects[0],
        )
        runs = context.judges.run_hooks(
            hooks.names,
            base_tree=staged.base_tree,
            clone=clone.path,
            objects=objects,
            message=MESSAGE,
            cancel=context.cancel,
        )
        context.cancel.check()
        blobs = {"output": b"\n".join(one.output for one in runs)}
        data["ran"] = [one.name for one in runs]
        problems = [one.problem for one in runs if one.problem]
        if problems:
            return Result("failed", {**data, "reason": "hook_failed", "explanation": problems[0]}, blobs)
        tree = tree_after(repository, clone)
        wanted = with_trailers(repository, message_after(clone), message)
    if (tree, wanted) == (staged.tree, message):
        return Result("passed", data, blobs)
    return _restaged(context, staged, tree, wanted, data, blobs)


def _restaged(
    context: ApplyContext,
    staged: StagedCommit,
    tree: str,
    message: str,
    data: dict[str, Any],
    blobs: dict[str, bytes],
) -> Result:
    repository = context.repository
    commit = commit_tree(
        repository,
        tree=tree,
        parents=() if staged.base is None else (staged.base,),
        message=message,
        identity=user_identity(repository),
    )
    set_ref(repository, staged_ref(context.run), commit, reason=f"dev-agent: hooks of {context.run}")
    again = StagedCommit(
        step=staged.step + 1,
        commit=commit,
        tree=tree,
        base=staged.base,
        base_tree=staged.base_tree,
        files=(),
    )
    patch = patch_text(tree_changes(repository, staged.base_tree, tree))
    changes = tree_difference(repository, staged.base_tree, tree)
    what = "files" if tree != staged.tree else "the message"
    data = {
        **data,
        **again.to_json(changes),
        "patch": digest(patch),
        "notes": [f"hooks changed {what}: {', '.join(data['ran'])}"],
    }
    return Result("passed", data, {**blobs, "change.patch": patch})


HOOKS = Declared(
    name="hooks",
    outcomes=frozenset({"passed", "failed"}),
    facts={
        "ran": FactType.LIST,
        "skipped": FactType.LIST,
        "notes": FactType.LIST,
        "step": FactType.INT,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "base": FactType.STR,
        "base_tree": FactType.STR,
        "changes": FactType.JSON,
        "patch": FactType.STR,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_hooks,
)
