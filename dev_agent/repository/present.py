"""The trees of what stands in the user's index and work tree now: what `git commit` and `git commit -a` would commit.

Nothing of the user's is written: git works on a copy of the index in a scratch folder and reads the work tree; only
objects are added. Clean filters, line endings, modes, symlinks, `git add -N`, sparse checkouts and ignore rules mean
what they mean to the user's own git, because it is that git which reads them, with the user's settings.

The copy's time is set to the epoch's first second. Git takes every entry for one that may have changed behind its
stat data ("racily clean") and compares bytes, so an edit of the same length within a clock tick is seen.

Reading a split index, git renews the time of its shared half, as every `git status` does; its bytes stay.

New files are counted before the first object is written: a forgotten folder of build output is refused, and leaves
nothing.

Killed at any line: objects nobody names, and a scratch folder its next maker removes.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.landing.index_copy import index_bytes
from dev_agent.repository.landing.index_view import view_index
from dev_agent.repository.scratch import scratch
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.git import Git

_SETTINGS = (
    "core.splitIndex=false",  # a new shared half would be written to the user's git dir
    "core.untrackedCache=false",
    "add.ignoreErrors=false",  # a file that cannot be read must not be left out in silence
)
_EPOCH = (1, 1)
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """A tree in the repository's objects, and what has to be said about how it came about.

    `untracked` are new files that git does not ignore, sorted, where nobody asked for them: the tree has none of them.
    """

    tree: str
    notes: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


def staged_tree(repository: Repository) -> Present:
    """The tree of the index as it is. Raises RepositoryFault (`unmerged-index`, `unreadable-index`)."""
    with scratch(repository) as place:
        git = _on_a_copy(repository, repository.git.holding(place.claim).with_index(place.path / "index"))
        return Present(tree=_written(git))


def work_tree_tree(repository: Repository, *, untracked: bool, most_new: int) -> Present:
    """The tree of the tracked files as they are on disk, with `untracked` also of those git does not ignore.

    An untracked repository inside the work tree is left out, and named in the notes if new files were asked for: its
    files are its own. Raises RepositoryFault (`unmerged-index`, `unreadable-index`, `unreadable-work-tree`,
    `bare-repo`; `too-many-files` for more than `most_new` new ones, before any object is written).
    """
    repository.work_tree  # noqa: B018 - a bare repository is refused by asking
    with scratch(repository) as place:
        git = _on_a_copy(repository, repository.git.holding(place.claim).with_index(place.path / "index"))
        if untracked:
            # The order is the promise: what is too much must be known before anything is written.
            names = _untracked(git)
            _require_bounded(git, names, most_new)
            _read(git, "add", "--update")
            notes = _add(git, names)
            return Present(tree=_written(git), notes=notes)
        _read(git, "add", "--update")
        new = tuple(sorted(os.fsdecode(name) for name in _untracked(git) if not name.endswith(b"/")))
        return Present(tree=_written(git), untracked=new)


def _on_a_copy(repository: Repository, git: Git) -> Git:
    """`git`, bound to its index file, after that became a copy of the user's."""
    data = index_bytes(repository)
    if git.index is None:
        raise AssertionError("BUG: the user's own index is not to be worked on")
    if data is not None:
        git.index.write_bytes(data)
        os.utime(git.index, _EPOCH)
    unmerged = view_index(git).unmerged
    if unmerged:
        raise RepositoryFault(
            "unmerged-index",
            f"the index has unmerged paths: {', '.join(unmerged[:_NAMED])}",
            hint="resolve the conflicts first",
        )
    return git


def _untracked(git: Git) -> list[bytes]:
    """What git neither tracks nor ignores; a repository of its own ends with a slash."""
    return git.out("ls-files", "--others", "--exclude-standard", "-z", config=_SETTINGS).split(b"\0")[:-1]


def _require_bounded(git: Git, names: list[bytes], most: int) -> None:
    """Raise RepositoryFault for too many new files; what HEAD has under its name is not new, only out of the index."""
    files = {name for name in names if not name.endswith(b"/")}
    if len(files) <= most:
        return
    head = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD", config=_SETTINGS)
    new = files - set(head.stdout.split(b"\0")) if head.ok else files
    if len(new) <= most:
        return
    folders = Counter(os.fsdecode(name).partition("/")[0] for name in new if b"/" in name)
    most_of_them = [f"{count} in {folder}/" for folder, count in folders.most_common(_NAMED)]
    where = f" ({', '.join(most_of_them)})" if most_of_them else ""
    raise RepositoryFault(
        "too-many-files",
        f"{len(new)} new files are not ignored by git{where}, and {most} changed files are judged at most; "
        "no object was written",
        hint="put what is no part of the change into .gitignore, or leave --untracked out",
    )


def _add(git: Git, names: list[bytes]) -> tuple[str, ...]:
    foreign = [os.fsdecode(name) for name in names if name.endswith(b"/")]
    files = b"".join(name + b"\0" for name in names if not name.endswith(b"/"))
    if files:
        _read(git, "update-index", "--add", "--replace", "-z", "--stdin", stdin=files)
    return tuple(f"{name} is a repository of its own and was left out" for name in foreign)


def _read(git: Git, *args: str, stdin: bytes = b"") -> None:
    """Let git take files into the copy. What it refuses is said in its own words: it knows the file."""
    try:
        git.out(*args, stdin=stdin, config=_SETTINGS)
    except GitFailed as error:
        if _is_the_disks(error):
            raise
        raise RepositoryFault(
            "unreadable-work-tree",
            f"git cannot take the work tree as it is: {error.stderr.strip()}",
            hint="mend what git names; `git add` would refuse it too",
        ) from error


def _written(git: Git) -> str:
    try:
        return git.out("write-tree", config=_SETTINGS).decode("ascii").strip()
    except GitFailed as error:
        if _is_the_disks(error):
            raise
        raise RepositoryFault(
            "unreadable-index",
            f"the index cannot be written as a tree: {error.stderr.strip()}",
            hint="look at it with: git status",
        ) from error


def _is_the_disks(failed: GitFailed) -> bool:
    """True if no object could be written: nothing in index or work tree is to blame for that."""
    return failed.system_error in _DISK or "repository database" in failed.stderr
