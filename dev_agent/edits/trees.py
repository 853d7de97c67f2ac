"""The tree that edits are resolved against, and git's modes.

- A path is a relative `str` with '/' between components, decoded as `os.fsdecode` does (UTF-8, surrogateescape).
- A mode is git's: "100644", "100755", "120000" (symlink), "160000" (submodule); a directory reports "040000".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

REGULAR: Final = "100644"
EXECUTABLE: Final = "100755"
SYMLINK: Final = "120000"
GITLINK: Final = "160000"
DIRECTORY: Final = "040000"


class BaseTree(Protocol):
    """The immutable tree that edits are resolved against."""

    def mode(self, path: str) -> str | None:
        """Return the git mode of `path`, "040000" for a directory, None if there is nothing."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of a file or symlink entry. KeyError if there is none."""
        ...

    def paths(self) -> Sequence[str]:
        """Return the paths of all files, symlinks and submodules, sorted."""
        ...


class DictTree:
    """A tree in memory, made from {path: bytes} or {path: (mode, bytes)}."""

    def __init__(self, files: Mapping[str, bytes | tuple[str, bytes]]) -> None:
        self._files = {
            path: (REGULAR, value) if isinstance(value, bytes) else value for path, value in files.items()
        }
        self._paths = tuple(sorted(self._files))
        self._directories = {parent for path in self._files for parent in parents(path)}

    def mode(self, path: str) -> str | None:
        """See `BaseTree.mode`."""
        entry = self._files.get(path)
        if entry is not None:
            return entry[0]
        return DIRECTORY if path in self._directories else None

    def read(self, path: str) -> bytes:
        """See `BaseTree.read`."""
        return self._files[path][1]

    def paths(self) -> Sequence[str]:
        """See `BaseTree.paths`."""
        return self._paths


def parents(path: str) -> list[str]:
    """Return the directories above `path`, outermost first: "a/b/c" -> ["a", "a/b"]."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
