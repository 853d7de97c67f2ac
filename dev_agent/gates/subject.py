"""What is judged, and what the gates need from a repository: trees by id, and a directory that shows one.

The repository package implements `Trees`; the gates know nothing of git. Tree ids are opaque text; paths are
relative, '/'-separated, decoded as `os.fsdecode` does. Modes are git modes ("100644", "120000", ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A staged tree, the tree it started from, and the paths that differ (sorted)."""

    base_tree: str
    tree: str
    changed: tuple[str, ...]


class Checkout(Protocol):
    """A leased directory. One tree at a time; whoever holds the lease is alone in it."""

    def checkout(self, tree: str) -> Path:
        """Make the directory show exactly `tree`, with mtimes derived from content, and return it."""
        ...


class Trees(Protocol):
    """Trees of a repository, by id. Safe to use from several threads: gates run in parallel."""

    def lease(self, purpose: str) -> AbstractContextManager[Checkout]:
        """A directory of one's own for the time of the context."""
        ...

    def compose(self, tree: str, replacements: Mapping[str, tuple[str, str] | None]) -> str:
        """`tree` with entries (mode, oid) put at paths, None removing one; returns the new tree's id."""
        ...

    def entry(self, tree: str, path: str) -> tuple[str, str] | None:
        """(mode, oid) of the file entry at `path`, None if there is none."""
        ...

    def read(self, tree: str, path: str) -> bytes | None:
        """The bytes of the file entry at `path`, None if there is none."""
        ...

    def paths(self, tree: str) -> Sequence[str]:
        """All file paths, sorted."""
        ...

    def diff(self, a: str, b: str) -> Sequence[tuple[str, str]]:
        """(path, status) of every file entry that differs; status "A" added, "D" deleted, else changed."""
        ...

    def in_checkout(self, path: str) -> bool:
        """True if git tracks `path`, or anything below it, in the user's own checkout as it is now."""
        ...
