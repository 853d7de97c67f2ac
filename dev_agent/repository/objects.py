"""A tree as a read-only mapping of paths: what edits resolve against and gates look things up in.

One path is found by reading the folders on the way to it, as many as it is deep. Whoever asks for all paths, or for
many, gets a listing, one `ls-tree`: a change of one file never pays for the hundred thousand beside it. File bytes come
from the object store. Nothing here reads a work tree, so nothing a run has written there can be seen. Paths are decoded
as file names are (UTF-8 with surrogate escapes), modes are git's canonical ones.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dev_agent.repository.discovery import tree_of
from dev_agent.repository.listing import varied
from dev_agent.repository.store import ObjectStore, missing_objects
from dev_agent.repository.tree_bytes import Entry, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.listing import Listing
    from dev_agent.repository.tree_walk import Difference

DIRECTORY = "040000"
SUBMODULE = "160000"
SYMLINK = "120000"
EXECUTABLE = "100755"
REGULAR = "100644"
_MOST_FOLDERS = 64
"""Of one tree, read one by one; from there on the listing is cheaper."""


class GitTree:
    """The tree of `name` (a full id of a tree or commit; None: the empty tree).

    Reading raises RepositoryFault `missing-objects` where the clone lacks something.
    """

    def __init__(self, repository: Repository, name: str | None, store: ObjectStore | None = None) -> None:
        self._repository = repository
        self._name = name
        self._store = store or ObjectStore(repository)
        self._folders: dict[str, Mapping[bytes, Entry]] = {}

    @cached_property
    def tree(self) -> str:
        """The id of the tree itself."""
        if self._name is None:
            return tree_of(self._repository, None)
        known = self._store.tree_of(self._name)
        if known is not None:
            return known
        done = self._repository.git.run("rev-parse", "--verify", "--end-of-options", f"{self._name}^{{tree}}")
        if not done.ok:
            raise missing_objects([self._name])
        return done.stdout.decode("ascii").strip()

    def entry(self, path: str) -> tuple[str, str] | None:
        """Mode and object id of the file, symlink or submodule at `path`; None if there is none."""
        found = self._at(path)
        return None if found is None or found[0] == DIRECTORY else found

    def mode(self, path: str) -> str | None:
        """The mode of what is at `path`, "040000" for a directory, None if nothing is."""
        found = self._at(path)
        return None if found is None else found[0]

    def read(self, path: str) -> bytes:
        """The bytes of the file (or the target of the symlink) at `path`.

        Raises KeyError if there is none; a submodule has none.
        """
        mode, object_id = self.entry(path) or (SUBMODULE, "")
        if mode == SUBMODULE:
            raise KeyError(path)
        return self._store.read(object_id)

    def read_many(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The bytes of many files by one child. Raises KeyError as `read` does."""
        ids = {path: self.files[path] for path in paths}
        for path, (mode, _) in ids.items():
            if mode == SUBMODULE:
                raise KeyError(path)
        found = self._store.read_many(object_id for _, object_id in ids.values())
        return {path: found[object_id] for path, (_, object_id) in ids.items()}

    def paths(self) -> Sequence[str]:
        """All files, symlinks and submodules, sorted."""
        return self._paths

    @property
    def name(self) -> str:
        """What it was asked for by; for the empty tree, its id."""
        return self._name or self.tree

    @property
    def is_listed(self) -> bool:
        """True once all paths are known."""
        return "_listing" in self.__dict__

    def list_from(self, other: GitTree, differences: Iterable[Difference]) -> None:
        """Know all paths by those of `other`, which is listed, and all that differs from it to this tree."""
        self._listing = varied(other._listing, other.paths(), differences)

    def close(self) -> None:
        """Let go of what reading opened."""
        self._store.close()

    def _at(self, path: str) -> Entry | None:
        """What is at `path`, a folder too."""
        if self.is_listed or not self._may_walk():
            files, directories = self._listing
            return files.get(path) or ((DIRECTORY, "") if path in directories else None)
        found: Entry = (DIRECTORY, self.tree)
        for name in _names(path):
            entry = self._folder(found[1]).get(name) if found[0] == DIRECTORY else None
            if entry is None:
                return None
            found = (DIRECTORY, entry[1]) if is_folder(entry) else (canonical_mode(entry[0]), entry[1])
        return found

    def _may_walk(self) -> bool:
        """True while reading folder by folder is cheap: in this process, and not many of them."""
        return self._repository.object_format == "sha1" and len(self._folders) < _MOST_FOLDERS

    def _folder(self, tree: str) -> Mapping[bytes, Entry]:
        known = self._folders.get(tree)
        if known is None:
            known = self._folders[tree] = self._store.folder(tree)
        return known

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    @property
    def files(self) -> Mapping[str, tuple[str, str]]:
        """All files, symlinks and submodules: path → (mode, object id)."""
        return self._listing[0]

    @property
    def _directories(self) -> frozenset[str]:
        return self._listing[1]

    @cached_property
    def _listing(self) -> Listing:
        done = self._repository.git.run("ls-tree", "-r", "-t", "-z", "--full-tree", self.name)
        if not done.ok:
            raise missing_objects([self.name], done.stderr.decode("utf-8", "replace").strip())
        return parse_listing(done.stdout)


def _names(path: str) -> list[bytes]:
    """The names on the way to `path`, as a tree has them; for what no file can be called, one that no tree has."""
    try:
        return path.encode("utf-8", "surrogateescape").split(b"/")
    except UnicodeEncodeError:
        return [b""]


def parse_listing(output: bytes) -> tuple[dict[str, tuple[str, str]], frozenset[str]]:
    """What `ls-tree -r -t -z` said: the files (path → mode and id) and the directories."""
    files: dict[str, tuple[str, str]] = {}
    directories = set()
    modes: dict[str, str] = {}
    for row in output.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        info, _, path = row.partition("\t")
        if info[7:11] == "tree":
            directories.add(path)
            continue
        mode = info[:6]
        known = modes.get(mode) or modes.setdefault(mode, canonical_mode(mode))
        files[path] = (known, info.rpartition(" ")[2])
    return files, frozenset(directories)


def canonical_mode(mode: str) -> str:
    """The mode git uses today for `mode`: trees made by old tools hold 100664 and the like."""
    if not mode.startswith("100"):
        return mode
    return EXECUTABLE if int(mode, 8) & 0o100 else REGULAR
