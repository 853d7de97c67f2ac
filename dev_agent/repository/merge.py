"""The merge of two commits, computed in git's own objects: no work tree, index or ref, and nothing of either is run.

What is computed depends on the two commits alone: the settings that could make two machines disagree are pinned.
The result is a tree that nobody has judged; whoever called makes the commit and has it judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.rebase import Conflicted
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_PINNED = ("merge.renames=true", "merge.renameLimit=7000", "merge.directoryRenames=conflict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The merge's tree. `forward`: the head is built on the base, so this is the head's own tree."""

    tree: str
    forward: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Contained:
    """The base holds the head already: there is nothing to merge."""


def merge(repository: Repository, *, base: str, head: str) -> Merged | Contained | Conflicted:
    """What merging commit `head` into commit `base` gives. Writes objects only. Raises GitFailed."""
    if contains(repository, base, head):
        return Contained()
    if contains(repository, head, base):
        return Merged(tree=tree_of(repository, head), forward=True)
    if not repository.git.run("merge-base", base, head).ok:
        return Conflicted(
            paths=(),
            text="base and head have no commit in common (a shallow clone has to be deepened first)",
        )
    done = repository.git.run(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head, config=_PINNED
    )
    # Status 1 without a tree is no conflict: one of the commits could not be read.
    if done.code not in (0, 1) or not done.stdout:
        raise GitFailed(("merge-tree",), done.code, done.stderr.decode("utf-8", "replace"))
    tree, *paths = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if done.code == 0:
        return Merged(tree=tree, forward=False)
    return Conflicted(paths=tuple(sorted({path for path in paths if path})), text="base and head conflict")


def contains(repository: Repository, commit: str, ancestor: str) -> bool:
    """True if `ancestor` is `commit` or one it is built on. False also where a commit is not here."""
    return repository.git.run("merge-base", "--is-ancestor", ancestor, commit).ok
