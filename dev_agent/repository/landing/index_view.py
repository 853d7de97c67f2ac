"""The user's index as it is, read without locking it, and the reasons it gives to refuse.

Everything the user has staged stays: an entry that a landing would have to replace must be exactly the base's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.listing import parents
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.git import Git
    from dev_agent.repository.landing.journal import Change

_SKIP_WORKTREE = "S"


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexEntry:
    """`tag` is the letter of `ls-files -v`: lower case if assumed unchanged, S if not in the work tree."""

    mode: str
    object_id: str
    tag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexView:
    """All entries by path, and the unmerged paths."""

    entries: dict[str, IndexEntry]
    unmerged: tuple[str, ...]


def view_index(git: Git) -> IndexView:
    """The index `git` is bound to. Raises GitFailed."""
    listed = git.out("ls-files", "-s", "-v", "-z").decode("utf-8", "surrogateescape")
    entries: dict[str, IndexEntry] = {}
    unmerged: set[str] = set()
    for row in listed.split("\0")[:-1]:
        info, _, path = row.partition("\t")
        tag, mode, object_id, stage = info.split(" ")
        if stage != "0":
            unmerged.add(path)
        entries[path] = IndexEntry(mode=mode, object_id=object_id, tag=tag)
    return IndexView(entries=entries, unmerged=tuple(sorted(unmerged)))


def require_index_fit(view: IndexView, changes: Sequence[Change]) -> None:
    """Refuse unless every change can be applied to the index without losing an entry of the user's."""
    if view.unmerged:
        raise Refusal(Code.UNMERGED_INDEX, "the index has unmerged paths; resolve them first", view.unmerged)
    touched = {change.path: view.entries[change.path] for change in changes if change.path in view.entries}
    _refuse_if(
        Code.SPARSE_OVERLAP,
        "the change touches files outside the sparse checkout",
        (path for path, entry in touched.items() if entry.tag.upper() == _SKIP_WORKTREE),
    )
    _refuse_if(
        Code.ASSUME_UNCHANGED,
        "the change touches files marked assume-unchanged",
        (path for path, entry in touched.items() if entry.tag.islower()),
    )
    staged = {change.path for change in changes if not is_old(view, change)}
    _refuse_if(
        Code.STAGED_OVERLAP,
        "the change touches paths with staged changes; commit or unstage them first",
        staged | _displaced(view, changes),
    )


def is_old(view: IndexView, change: Change) -> bool:
    """True if the index holds for this path exactly what the base does."""
    entry = view.entries.get(change.path)
    if entry is None:
        return change.old_id is None
    return (entry.mode, entry.object_id) == (change.old_mode, change.old_id)


def _displaced(view: IndexView, changes: Sequence[Change]) -> set[str]:
    """Entries outside the change that a new file would push out: a file as folder, or the other way round."""
    ours = {change.path for change in changes}
    added = {change.path for change in changes if change.new_id}
    above = {folder for path in added for folder in parents(path)} & view.entries.keys()
    below = (
        {path for path in view.entries if any(folder in added for folder in parents(path))}
        if added
        else set()
    )
    return (above | below) - ours


def _refuse_if(code: Code, text: str, paths: Iterable[str]) -> None:
    found = tuple(paths)
    if found:
        raise Refusal(code, text, found)
