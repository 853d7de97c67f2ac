"""An index file of our own, beside the user's and never instead of it.

The user's settings for *their* index are switched off here: a split index would write its shared half into
their git dir, and a sparse one would leave files out of what is staged or verified.

Beware: `update-index --index-info` *skips* a path it would never check out (`.git` in any spelling) and drops
a file that is in the way of a folder, both with status 0. Whoever uses `replace` compares the tree it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.listing import parents
from dev_agent.repository.store import missing_objects

if TYPE_CHECKING:
    from dev_agent.repository.git import Git
    from dev_agent.repository.objects import GitTree

ATTRIBUTES = ".gitattributes"
NO_FILE = "0"
_SETTINGS = (
    "core.splitIndex=false",
    "core.sparseCheckout=false",
    "index.sparse=false",
    "core.untrackedCache=false",
)

Replacements = Mapping[str, tuple[str, str] | None]
"""Path → (mode, object id), or None to remove the path."""


class PrivateIndex:
    """The index file at `path`, reached through `git`. Methods raise GitFailed."""

    def __init__(self, git: Git, path: Path) -> None:
        self.git = git.with_index(path)
        self.path = path

    def load(self, tree: str) -> None:
        """Make the index hold exactly `tree`. Killed before the end the old index stays."""
        self._out("read-tree", tree)

    def replace(self, replacements: Replacements, zero: str) -> None:
        """Ask for `replacements`; `zero` is the repository's all-zeros id. Not all of them may be obeyed."""
        lines = [
            f"{' '.join(entry or (NO_FILE, zero))}\t{path}\0".encode("utf-8", "surrogateescape")
            for path, entry in sorted(replacements.items())
        ]
        if lines:
            self._out("update-index", "-z", "--index-info", stdin=b"".join(lines))

    def hold_only(self, files: Mapping[str, tuple[str, str]], tree: GitTree, zero: str) -> None:
        """Make the index, of which there is no file, hold `files` of `tree` and the attribute files that govern them.

        What they are checked out as is what the whole tree would make of them, and it costs what they cost.
        """
        above = {f"{one}/" for path in files for one in parents(path)} | {""}
        governing = {path: tree.entry(path) for path in (f"{one}{ATTRIBUTES}" for one in above)}
        self.replace({**{path: one for path, one in governing.items() if one}, **files}, zero)

    def check_out(self, work_tree: Path, paths: list[str] | None = None) -> None:
        """Write all files, or just `paths`, into the empty folder `work_tree` in work-tree form.

        Attributes are the index's own: no other file can say how these are written. Raises RepositoryFault
        `missing-objects` where a partial clone lacks a file: it could not be judged either.
        """
        git = self.git.with_work_tree(work_tree)
        if paths is None:
            _complete(git, "checkout-index", "--all")
        elif paths:
            named = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)
            _complete(git, "checkout-index", "-z", "--stdin", stdin=named)

    def entries(self) -> dict[str, tuple[str, str]]:
        """Everything in the index: path → (mode, object id)."""
        rows = self._out("ls-files", "-z", "--stage").decode("utf-8", "surrogateescape")
        split = (row.split("\t", 1) for row in rows.split("\0")[:-1])
        return {path: (info.split(" ")[0], info.split(" ")[1]) for info, path in split}

    def _out(self, *args: str, stdin: bytes = b"") -> bytes:
        return self.git.out(*args, stdin=stdin, config=_SETTINGS)


def _complete(git: Git, *args: str, stdin: bytes = b"") -> bytes:
    """What git says, where it needs every object. Raises RepositoryFault `missing-objects`, GitFailed."""
    done = git.run(*args, stdin=stdin, config=_SETTINGS)
    said = done.stderr.decode("utf-8", "replace").strip()
    if not done.ok and "promisor" in said:
        raise missing_objects([said.rpartition("could not fetch ")[2].partition(" ")[0]])
    if not done.ok:
        raise GitFailed(args, done.code, said)
    return done.stdout
