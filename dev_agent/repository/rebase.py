"""The branch moved while a change was being verified: the same change on the new tip, computed in memory.

No work tree, index or ref is touched; only objects are written. The result is a tree that nobody has judged
yet: whoever called makes the commit and has it verified again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebased:
    """The tree of the change applied to the new tip."""

    tree: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflicted:
    """It cannot be applied: `paths` conflict, or `text` says why there is nothing to apply it to."""

    paths: tuple[str, ...]
    text: str


def rebase(
    repository: Repository, *, base: str | None, commit: str, onto: str | None
) -> Rebased | Conflicted:
    """Carry the change from `base` to `commit` over to `onto`.

    Only a branch that moved forward is followed; one that was rewound or replaced would bring back what
    somebody took out. Raises GitFailed.
    """
    if base is None or onto is None:
        return Conflicted(paths=(), text="the branch was made or deleted meanwhile")
    if not repository.git.run("merge-base", "--is-ancestor", base, onto).ok:
        return Conflicted(paths=(), text=f"the branch was rewritten: {onto} does not contain {base}")
    done = repository.git.run(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", onto, commit
    )
    # Status 1 without a tree is no conflict: one of the commits could not be read.
    if done.code not in (0, 1) or not done.stdout:
        raise GitFailed(("merge-tree",), done.code, done.stderr.decode("utf-8", "replace"))
    tree, *paths = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if done.code == 0:
        return Rebased(tree=tree)
    return Conflicted(paths=tuple(sorted({path for path in paths if path})), text="the change conflicts")
