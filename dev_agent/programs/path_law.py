"""The path law for a change that comes as a tree: no program and no recipe may make what an edit may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dev_agent.edits.paths import Names, blocking_parent, path_fault, portability_fault, symlink_fault
from dev_agent.repository.objects import SYMLINK, GitTree
from dev_agent.repository.store import ObjectStore

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.private_index import Replacements


def breach(
    repository: Repository, tree: str, files: Mapping[str, tuple[str, str]], changes: Replacements
) -> str:
    """The first breach among `changes` of `tree`, as a sentence; "" if there is none.

    `files` is everything that was there before: path → (mode, object id). The objects of new symlinks are read.
    """
    base = GitTree(repository, tree)
    gone = {path for path, entry in changes.items() if entry is None}
    made = {path: entry for path, entry in changes.items() if entry is not None}
    after = {**files, **made}
    # Every path of the tree is folded for this: only where there is a new one to hold against them.
    names = Names([path for path in after if path not in gone] if made.keys() - files.keys() else ())
    for path in sorted(changes):
        known = path in files
        fault = path_fault(path, in_base=known)
        if path in made and not known:
            fault = fault or portability_fault(path) or names.fault(path) or blocking_parent(path, base, gone)
        if path in made and made[path][0] == SYMLINK:
            target = ObjectStore(repository).read(made[path][1]).decode("utf-8", "surrogateescape")
            fault = fault or symlink_fault(path, target, lambda at: after.get(at, ("", ""))[0] == SYMLINK)
        if fault:
            return fault[1]
    return ""
