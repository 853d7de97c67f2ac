"""A tree as a read-only mapping of paths: what edits resolve against and gates look things up in.

The listing is one `ls-tree`, made when first needed; file bytes come from the object store. Nothing here
reads a work tree, so nothing a run has written there can be seen. Paths are decoded as file names are (UTF-8
with surrogate escapes), modes are git's canonical ones.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dev_agent.repository.discovery import tree_of
from dev_agent.repository.store import ObjectStore, missing_objects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dev_agent.repository.discovery import Repository

DIRECTORY = "040000"
SUBMODULE = "160000"
SYMLINK = "120000"
EXECUTABLE = "100755"
REGULAR = "100644"


class GitTree:
    """The tree of `name` (a full id of a tree or commit; None: the empty tree).

    Reading raises RepositoryFault `missing-objects` where the clone lacks something.
    """

    def __init__(self, repository: Repository, name: str | None, store: ObjectStore | None = None) -> None:
        self._repository = repository
        self._name = name
        self._store = store or ObjectStore(repository)

    @cached_property
    def tree(self) -> str:
        """The id of the tree itself."""
        if self._name is None:
            return tree_of(self._repository, None)
        done = self._repository.git.run("rev-parse", "--verify", "--end-of-options", f"{self._name}^{{tree}}")
        if not done.ok:
            raise missing_objects([self._name])
        return done.stdout.decode("ascii").strip()

    def entry(self, path: str) -> tuple[str, str] | None:
        """Mode and object id of the file, symlink or submodule at `path`; None if there is none."""
        return self._files.get(path)

    def mode(self, path: str) -> str | None:
        """The mode of what is at `path`, "040000" for a directory, None if nothing is."""
        found = self._files.get(path)
        if found:
            return found[0]
        return DIRECTORY if path in self._directories else None

    def read(self, path: str) -> bytes:
        """The bytes of the file (or the target of the symlink) at `path`.

        Raises KeyError if there is none; a submodule has none.
        """
        mode, object_id = self._files[path]
        if mode == SUBMODULE:
            raise KeyError(path)
        return self._store.read(object_id)

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The bytes of many files by one child. Raises KeyError as `read` does."""
        ids = {path: self._files[path] for path in paths}
        for path, (mode, _) in ids.items():
            if mode == SUBMODULE:
                raise KeyError(path)
        found = self._store.read_many(object_id for _, object_id in ids.values())
        return {path: found[object_id] for path, (_, object_id) in ids.items()}

    def paths(self) -> Sequence[str]:
        """All files, symlinks and submodules, sorted."""
        return self._paths

    def close(self) -> None:
        """Let go of what reading opened."""
        self._store.close()

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._files))

    @property
    def _files(self) -> Mapping[str, tuple[str, str]]:
        return self._listing[0]

    @property
    def _directories(self) -> frozenset[str]:
        return self._listing[1]

    @cached_property
    def _listing(self) -> tuple[Mapping[str, tuple[str, str]], frozenset[str]]:
        name = self._name or self.tree
        done = self._repository.git.run("ls-tree", "-r", "-t", "-z", "--full-tree", name)
        if not done.ok:
            raise missing_objects([name], done.stderr.decode("utf-8", "replace").strip())
        return parse_listing(done.stdout)


def parse_listing(output: bytes) -> tuple[dict[str, tuple[str, str]], frozenset[str]]:
    """What `ls-tree -r -t -z` said: the files (path → mode and id) and the directories."""
    files: dict[str, tuple[str, str]] = {}
    directories = set()
    for row in output.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        info, path = row.split("\t", 1)
        mode, kind, object_id = info.split(" ")
        if kind == "tree":
            directories.add(path)
        else:
            files[path] = (canonical_mode(mode), object_id)
    return files, frozenset(directories)


def canonical_mode(mode: str) -> str:
    """The mode git uses today for `mode`: trees made by old tools hold 100664 and the like."""
    if not mode.startswith("100"):
        return mode
    return EXECUTABLE if int(mode, 8) & 0o100 else REGULAR
