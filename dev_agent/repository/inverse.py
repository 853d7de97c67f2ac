"""The inverse of a commit on top of a branch that holds it, computed in memory.

The inverse of C is the way from C's tree back to its parent's. Written as a commit on C it is an ordinary change
that a three-way merge carries to the tip (base C, ours the tip, theirs the parent's tree), so binary files, modes,
symlinks and renames go the way git takes them, and nothing has to be expressed as a patch.

No work tree, index or ref is touched; only objects are written. Killed anywhere: objects that nothing names, which
git's gc drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.discovery import tree_of
from dev_agent.repository.identity import user_identity
from dev_agent.repository.rebase import Conflicted, rebase
from dev_agent.repository.refs import read_ref
from dev_agent.repository.staging import commit_tree
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Inverted:
    """`tree` is the tip without the change; `draft` a commit that holds the message and the author of the undo."""

    tree: str
    draft: str


def inverse(repository: Repository, *, commit: str, onto: str, message: str) -> Inverted | Conflicted:
    """Take `commit` (one parent, or a root commit) out of `onto`, which holds it.

    Conflicts only where later commits touched what would have to change back; `paths` says where. Raises
    GitFailed, UsageFault (no identity), RepositoryFault (`missing-objects`).
    """
    parent = read_ref(repository, f"{commit}^")
    draft = commit_tree(
        repository,
        tree=tree_of(repository, parent),
        parents=(commit,),
        message=message,
        identity=user_identity(repository),
        sign=False,  # it is never published
    )
    if onto == commit:
        return Inverted(tree=tree_of(repository, parent), draft=draft)
    moved = rebase(repository, base=commit, commit=draft, onto=onto)
    if isinstance(moved, Conflicted):
        return moved
    return Inverted(tree=moved.tree, draft=draft)
