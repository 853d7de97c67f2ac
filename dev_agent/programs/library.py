"""One tree of a repository as the library a model's wishes are answered from.

Binds git and the index to `context.reading`, which decides what may be shown; here it is only said what there is. Reads
objects, never a work tree. A search is one `git grep` for a literal string over the tree's objects; partial clones give
what they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dev_agent.context.entry import LARGEST
from dev_agent.repository.objects import GitTree
from dev_agent.repository.store import ObjectStore

if TYPE_CHECKING:
    from dev_agent.context.folder import IndexFolder
    from dev_agent.repository.discovery import Repository

_REGULAR = "100"
_MOST_FOUND = 8 << 20


class CommitSource:
    """The files of one commit or tree (None: of none), by id."""

    def __init__(self, repository: Repository, name: str | None) -> None:
        self.store = ObjectStore(repository)
        self.tree = GitTree(repository, name, self.store)
        self.name = name or "nothing"

    def files(self) -> Mapping[str, tuple[str, str]]:
        """Path → mode and id."""
        return self._files

    def sizes(self, ids: Iterable[str]) -> Mapping[str, int]:
        """Sizes in bytes."""
        return self.store.sizes(ids)

    def read_many(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Bytes."""
        return self.store.read_many(ids)

    @cached_property
    def _files(self) -> dict[str, tuple[str, str]]:
        entries = ((path, self.tree.entry(path)) for path in self.tree.paths())
        return {path: entry for path, entry in entries if entry}


class TreeLibrary:
    """The tree `name` (a full id of a commit or tree; None: the empty one), seen through `covers`."""

    def __init__(
        self, repository: Repository, name: str | None, covers: Callable[[str], bool], index: IndexFolder
    ) -> None:
        self._repository, self._name, self._index = repository, name, index
        self.source = CommitSource(repository, name)
        self.covers = covers

    def mode(self, path: str) -> str | None:
        """The git mode of what is at `path`, "040000" for a folder, None if nothing is."""
        return self.source.tree.mode(path)

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None if they are more than `LARGEST`. Raises KeyError."""
        mode, object_id = self.source.tree.entry(path) or ("", "")
        if not mode.startswith(_REGULAR):
            raise KeyError(path)
        if self.source.sizes([object_id]).get(object_id, 0) > LARGEST:
            return None
        return self.source.store.read(object_id)

    def paths(self) -> Sequence[str]:
        """Every file, sorted."""
        return self.source.tree.paths()

    def defining(self, name: str) -> Sequence[str]:
        """The files that define a symbol of this bare name, sorted."""
        return self._index.asked(self.source, lambda index: sorted(index.occurrences(f"d{name}")))

    def holding(self, text: str) -> Sequence[str]:
        """The text files that have this literal string in them, in git's order."""
        if self._name is None:
            return ()
        # Its status is 1 where nothing is found.
        done = self._repository.git.run(
            "grep", "--files-with-matches", "--null", "--fixed-strings", "-I", "--full-name", "--no-color",
            "--no-textconv", "--no-recurse-submodules", "-e", text, self._name, "--",
            output_limit=_MOST_FOUND,
        )  # fmt: skip
        start = f"{self._name}:"
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        return tuple(name.removeprefix(start) for name in names if name.startswith(start))
