"""What a staged commit changes, read from git's own objects: bytes for the policy's facts, and the patch text.

Whatever made the tree (an edit, a hook, a rebase), this is what would land; the proposal is not consulted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dev_agent.edits.changes import Change, ChangeSet
from dev_agent.edits.render import render
from dev_agent.repository.objects import SUBMODULE, GitTree
from dev_agent.repository.tree_diff import tree_difference
from dev_agent.repository.tree_walk import Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.repository.discovery import Repository


MOST_FILES = 20_000
MOST_BYTES = 256 * 1024 * 1024
"""Of a change that came as a tree: it is read into memory, for policy and for its patch."""


def tree_changes(repository: Repository, old: str, new: str) -> tuple[Change, ...]:
    """Every path that differs between two trees with its bytes on both sides (of a submodule: its commit id)."""
    before, after = GitTree(repository, old), GitTree(repository, new)
    return tuple(_loaded(one, before, after) for one in tree_difference(repository, old, new))


def excess_of(repository: Repository, changes: Sequence[Difference]) -> str:
    """Why these changes are too large to be judged, as one sentence; "" if they are not. No bytes are read."""
    if len(changes) > MOST_FILES:
        return f"{len(changes)} files change, {MOST_FILES} are judged at most"
    sides = [side for one in changes for side in (one.before, one.after) if side and side[0] != SUBMODULE]
    asked = "".join(f"{object_id}\n" for _, object_id in sides).encode("ascii")
    told = repository.git.out("cat-file", "--batch-check=%(objectsize)", stdin=asked) if sides else b""
    # What is missing from the clone has no size; reading it is refused where it is read.
    size = sum(int(line) for line in told.splitlines() if line.isdigit())
    if size > MOST_BYTES:
        return f"the changed files have {size} bytes before and after, {MOST_BYTES} are judged at most"
    return ""


def patch_text(changes: tuple[Change, ...]) -> bytes:
    """The changes as a git-style unified diff: the same bytes for the same changes, whatever git is installed."""
    return render(ChangeSet(changes=changes))


def digest(patch: bytes) -> str:
    """The patch's name in the receipt: SHA-256, hex."""
    return hashlib.sha256(patch).hexdigest()


def _loaded(one: Difference, before: GitTree, after: GitTree) -> Change:
    return Change(
        path=one.path,
        before_mode=one.before[0] if one.before else None,
        before=_bytes(before, one.path, one.before),
        after_mode=one.after[0] if one.after else None,
        after=_bytes(after, one.path, one.after),
    )


def _bytes(tree: GitTree, path: str, entry: tuple[str, str] | None) -> bytes | None:
    if entry is None:
        return None
    return entry[1].encode("ascii") if entry[0] == SUBMODULE else tree.read(path)
