"""What a landing can end in. Refusals are values with a stable code: nothing of the user's was changed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from enum import StrEnum

from dev_agent.values import dataclass


class Code(StrEnum):
    """Why a landing was refused; stable for programs."""

    ASSUME_UNCHANGED = "assume-unchanged"
    BRANCH_CHECKED_OUT_ELSEWHERE = "branch-checked-out-elsewhere"
    BRANCH_CHECKED_OUT_TWICE = "branch-checked-out-twice"
    CASE_CLASH = "case-clash"
    CONCURRENT_EDIT = "concurrent-edit"
    DIRTY_OVERLAP = "dirty-overlap"
    DISK_FULL = "disk-full"
    FILTER_FAILED = "filter-failed"
    FORBIDDEN_PATH = "forbidden-path"
    HEAD_SWITCHED = "head-switched"
    HOOK_VETO = "hook-veto"
    INDEX_LOCKED = "index-locked"
    LANDING_BUSY = "landing-busy"
    MISSING_OBJECTS = "missing-objects"
    NO_WRITE_PERMISSION = "no-write-permission"
    OPERATION_IN_PROGRESS = "operation-in-progress"
    REF_UPDATE_FAILED = "ref-update-failed"
    REPLACED_OBJECTS = "replaced-objects"
    SPARSE_OVERLAP = "sparse-overlap"
    STAGED_OVERLAP = "staged-overlap"
    SUBMODULE_CHANGE = "submodule-change"
    SYMLINKED_PARENT = "symlinked-parent"
    UNMERGED_INDEX = "unmerged-index"
    UNSUPPORTED_FILE_SYSTEM = "unsupported-file-system"
    UNTRACKED_OVERLAP = "untracked-overlap"


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """`ref` now is `commit`, and index and work tree agree with it. `tx` is the transaction's id."""

    ref: str
    commit: str
    tx: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The branch is not where the caller said; it is at `tip` (None: it does not exist)."""

    tip: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """The landing was refused and undone. `paths` are the user's paths in the way, sorted, maybe none.

    `kept` names folders with files that could not go back because the user had put something else in their
    place meanwhile.
    """

    code: Code
    text: str
    paths: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


Outcome = Landed | Moved | Blocked


class Stop(Exception):
    """Carries an expected end out of the depth of a landing to the driver, which undoes and returns it."""

    def __init__(self, outcome: Blocked | Moved) -> None:
        super().__init__(outcome.text if isinstance(outcome, Blocked) else "the branch moved")
        self.outcome = outcome


class Refusal(Stop):
    """The landing is refused with `code` because of `paths`."""

    def __init__(self, code: Code, text: str, paths: Iterable[str] = ()) -> None:
        super().__init__(Blocked(code=code, text=text, paths=tuple(sorted(set(paths)))))


class BranchMoved(Stop):
    """The branch is at `tip`, not where the landing starts from."""

    def __init__(self, tip: str | None) -> None:
        super().__init__(Moved(tip=tip))


_BY_ERRNO = {
    errno.ENOSPC: Code.DISK_FULL,
    errno.EDQUOT: Code.DISK_FULL,
    errno.EACCES: Code.NO_WRITE_PERMISSION,
    errno.EPERM: Code.NO_WRITE_PERMISSION,
    errno.EROFS: Code.NO_WRITE_PERMISSION,
    # Our folder in the git dir is a mount or a link to elsewhere: nothing there can become the index by a rename.
    errno.EXDEV: Code.UNSUPPORTED_FILE_SYSTEM,
}


def refusal_for(error: OSError) -> Refusal | None:
    """The refusal an error of the operating system amounts to; None if it is none of the expected ones."""
    code = _BY_ERRNO.get(error.errno or 0)
    if code is None:
        return None
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return Refusal(code, f"{where or 'the repository'}: {os.strerror(error.errno or 0)}")


def refusal_in(stderr: str) -> Refusal | None:
    """The same for what a git child said."""
    for number, code in _BY_ERRNO.items():
        if os.strerror(number) in stderr:
            return Refusal(code, stderr.strip())
    return None
