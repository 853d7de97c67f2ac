"""Where a commit is to land: which ref, and whether a work tree goes with it.

    HEAD's branch     ref, index and work tree of the work tree the command was started in
    detached HEAD     the same, but HEAD itself moves (`ref` is "HEAD")
    unborn branch     the same, as the first commit
    another branch    the ref only; refused while some work tree has it checked out
    new branch        the ref only; it must not exist
    bare repository   the ref only

A target is found once, when a run begins, and checked again under the lock: the user may have switched.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.repository.discovery import Head, Repository, read_head
from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.refs import read_ref
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase or am",
    "sequencer": "cherry-pick or revert",
    "BISECT_LOG": "bisect",
}


class TargetKind(StrEnum):
    """What the ref is to this work tree."""

    HEAD_BRANCH = "head-branch"
    DETACHED = "detached"
    UNBORN = "unborn"
    OTHER_BRANCH = "other-branch"
    NEW_BRANCH = "new-branch"
    BARE = "bare"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """`ref` is a full name, or "HEAD" when detached."""

    kind: TargetKind
    ref: str

    @property
    def has_work_tree(self) -> bool:
        """True if index and work tree move with the ref."""
        return self.kind in (TargetKind.HEAD_BRANCH, TargetKind.DETACHED, TargetKind.UNBORN)

    def expected(self, base: str | None) -> str | None:
        """What the ref must hold for a landing on `base`; None if it must not exist."""
        return None if self.kind in (TargetKind.UNBORN, TargetKind.NEW_BRANCH) else base


def find_target(repository: Repository, branch: str | None = None) -> Target:
    """The target for HEAD, or for the branch with the short name `branch`.

    Raises UsageFault for a name git does not take as a branch's.
    """
    head = read_head(repository)
    if branch is None:
        return _head_target(repository, head)
    checked = repository.git.run("check-ref-format", "--branch", branch)
    if not checked.ok or branch.startswith(("-", "@")):
        raise UsageFault(f"{branch!r} is not a branch name", hint="see: git check-ref-format --help")
    if branch.startswith("refs/"):
        raise UsageFault(
            f"{branch!r} is the full name of a ref, not of a branch",
            hint=f"say the branch alone, for example: {branch.rpartition('/')[2]}",
        )
    ref = f"refs/heads/{branch}"
    if ref == head.ref:
        return _head_target(repository, head)
    if read_ref(repository, ref) is not None:
        return Target(kind=TargetKind.OTHER_BRANCH, ref=ref)
    _require_room(repository, branch)
    return Target(kind=TargetKind.NEW_BRANCH, ref=ref)


def _require_room(repository: Repository, branch: str) -> None:
    """Refuse a new branch that cannot be made because a name is a folder to another: `a` beside `a/b`.

    Raises UsageFault.
    """
    parts = branch.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    taken = repository.git.line(
        "for-each-ref",
        "--count=1",
        "--format=%(refname:lstrip=2)",
        f"refs/heads/{branch}/",
        *(f"refs/heads/{one}" for one in above if read_ref(repository, f"refs/heads/{one}") is not None),
    )
    if taken:
        raise UsageFault(
            f"the branch {branch!r} cannot be made: there is a branch {taken!r}",
            hint="choose a name that is neither the beginning of another's nor goes on after it",
        )


def _head_target(repository: Repository, head: Head) -> Target:
    if repository.root is None:
        return Target(kind=TargetKind.BARE, ref=head.ref or "HEAD")
    if head.ref is None:
        return Target(kind=TargetKind.DETACHED, ref="HEAD")
    kind = TargetKind.UNBORN if head.commit is None else TargetKind.HEAD_BRANCH
    return Target(kind=kind, ref=head.ref)


def tip_of(repository: Repository, target: Target) -> str | None:
    """What the target's ref holds now, None if it does not exist."""
    return read_ref(repository, target.ref)


def require_unswitched(repository: Repository, target: Target) -> None:
    """Refuse if HEAD is no longer what it was to the target."""
    if target.kind is TargetKind.BARE:
        return
    head = read_head(repository)
    here = head.ref or "HEAD"
    if target.has_work_tree and here != target.ref:
        raise Refusal(
            Code.HEAD_SWITCHED,
            f"the work tree was on {target.ref} and is now on {here}; go back and try again",
        )
    if not target.has_work_tree and here == target.ref:
        raise Refusal(
            Code.HEAD_SWITCHED, f"{target.ref} is checked out here now; start again to land it with its files"
        )


def require_sole_checkout(repository: Repository, target: Target) -> None:
    """Refuse if another work tree has the target's branch: its files would stay behind the ref."""
    others = [] if target.ref == "HEAD" else list(_checked_out_at(repository, target.ref))
    if not others:
        return
    code = Code.BRANCH_CHECKED_OUT_TWICE if target.has_work_tree else Code.BRANCH_CHECKED_OUT_ELSEWHERE
    raise Refusal(code, f"{target.ref} is checked out in {', '.join(sorted(others))} too")


def _checked_out_at(repository: Repository, ref: str) -> Iterator[str]:
    """Folders of other, existing work trees that have `ref` checked out."""
    if _is_the_only_one(repository):
        return
    listed = repository.git.out("worktree", "list", "--porcelain", "-z").decode("utf-8", "surrogateescape")
    blocks = listed.split("\0\0")
    if repository.git_dir.resolve() == repository.common_dir:
        # We are the main work tree, which is listed first; with a separate git dir its path is not our root.
        del blocks[0]
    for block in blocks:
        lines = [line for line in block.split("\0") if line]
        if f"branch {ref}" not in lines or any(line.startswith("prunable") for line in lines):
            continue
        folder = lines[0].removeprefix("worktree ")
        if "bare" not in lines and folder != str(repository.root):
            yield folder


def _is_the_only_one(repository: Repository) -> bool:
    """True if there never was a linked work tree: git keeps a folder for each in `worktrees`."""
    is_main = repository.git_dir.resolve() == repository.common_dir
    return is_main and not os.path.lexists(repository.common_dir / "worktrees")


def require_no_operation(git_dir: Path) -> None:
    """Refuse in the middle of a merge, rebase, cherry-pick, revert or bisect."""
    for name, operation in _OPERATIONS.items():
        if (git_dir / name).exists():
            raise Refusal(
                Code.OPERATION_IN_PROGRESS, f"a {operation} is in progress; finish or abort it first"
            )
