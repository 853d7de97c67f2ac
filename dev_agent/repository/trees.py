"""Trees as the gates see them: a place to check one out, a way to vary one, and look-ups by tree id.

Binds slots, staging and object reading to one repository. Trees are immutable, so what was read once stays
read; only the few used last are kept. Safe to share between threads, because gates run in parallel.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.objects import SUBMODULE, GitTree
from dev_agent.repository.slots import Slots
from dev_agent.repository.staging import compose
from dev_agent.repository.store import ObjectStore, missing_objects
from dev_agent.repository.tree_diff import difference_here, tree_difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.private_index import Replacements
    from dev_agent.repository.slots import Slot

_KEPT = 8


class RepositoryTrees:
    """All trees of one repository, by id."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._slots = Slots(repository, self._known)
        self._store = ObjectStore(repository)
        self._lock = threading.Lock()
        self._opened: OrderedDict[str, GitTree] = OrderedDict()

    def lease(self, purpose: str) -> AbstractContextManager[Slot]:
        """A private work tree for `purpose`, nobody else's until the block ends."""
        return self._slots.lease(purpose)

    def compose(self, tree: str, replacements: Replacements) -> str:
        """The id of `tree` with some paths replaced: path → (mode, object id), None = removed."""
        return compose(self._repository, tree, replacements)

    def entry(self, tree: str, path: str) -> tuple[str, str] | None:
        """Mode and object id of the file, symlink or submodule at `path`, None if there is none."""
        return self._open(tree).entry(path)

    def read(self, tree: str, path: str) -> bytes | None:
        """The bytes of the file at `path`, None if there is none (or it is a submodule)."""
        opened = self._open(tree)
        entry = opened.entry(path)
        return None if entry is None or entry[0] == SUBMODULE else opened.read(path)

    def paths(self, tree: str) -> Sequence[str]:
        """All files, symlinks and submodules, sorted."""
        opened = self._open(tree)
        near = None if opened.is_listed else self._listed()
        if near is not None:
            differences = difference_here(self._repository, near.name, tree)
            if differences is not None:
                opened.list_from(near, differences)
        return opened.paths()

    def diff(self, a: str, b: str) -> Sequence[tuple[str, str]]:
        """The paths that differ from tree `a` to tree `b`, each with its status: A, D, M or T."""
        try:
            found = tree_difference(self._repository, a, b)
        except GitFailed as error:
            raise missing_objects([a, b], error.message) from error
        return tuple((each.path, each.status) for each in found)

    def in_checkout(self, path: str) -> bool:
        """True if the user's index has `path` or anything below it, or cannot be read."""
        asked = self._repository.git.run("ls-files", "-z", "--", path)
        return not asked.ok or bool(asked.stdout)

    def close(self) -> None:
        """Let go of what reading opened."""
        self._store.close()

    def _known(self, tree: str) -> Mapping[str, tuple[str, str]] | None:
        """What `tree` holds, path → (mode, object id), if that has been asked already."""
        with self._lock:
            opened = self._opened.get(tree)
        return opened.files if opened and opened.is_listed else None

    def _listed(self) -> GitTree | None:
        """The one used last of those whose paths are known."""
        with self._lock:
            return next((one for one in reversed(self._opened.values()) if one.is_listed), None)

    def _open(self, tree: str) -> GitTree:
        with self._lock:
            opened = self._opened.pop(tree, None) or GitTree(self._repository, tree, self._store)
            self._opened[tree] = opened
            while len(self._opened) > _KEPT:
                self._opened.popitem(last=False)
            return opened
