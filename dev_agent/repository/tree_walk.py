"""What differs between two trees, told from their bytes: only folders whose ids differ are looked into. Pure.

The same paths, in the same order and with the same letters as `git diff-tree -r --raw --no-renames` gives them; a test
holds both against each other. What git might see otherwise (a tree that is not at hand, entries out of order or named
twice, modes nobody writes) is `TooFar`, and so is what would mean reading many folders: git is quicker there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from dev_agent.repository.objects import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK, canonical_mode
from dev_agent.repository.tree_bytes import Entry, is_folder
from dev_agent.values import dataclass

MOST_FOLDERS = 256
"""Folders read on both sides together. Bounds how deep a walk goes, too."""

_MODES = frozenset({REGULAR, EXECUTABLE, SYMLINK, SUBMODULE})
_OF_FILES = frozenset({"100644", "100755", "100664", "120000", "160000"})
"""As trees spell them; `100664` was written by the first versions of git."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One path; `before` and `after` are (mode, object id), None where it does not exist.

    `status` is git's letter: A, D, M or T (the kind of entry changed).
    """

    path: str
    status: str
    before: tuple[str, str] | None
    after: tuple[str, str] | None

    @property
    def must_go_first(self) -> bool:
        """True if a rename over it does not do: it is deleted, or a submodule's folder on one side."""
        if self.before is None:
            return False
        return self.after is None or SUBMODULE in (self.before[0], self.after[0])


class TooFar(Exception):
    """Git is to say it."""


Read = Callable[[str], Mapping[bytes, Entry] | None]
"""The entries of a sound tree by its id, None if it is not at hand or not sound."""


def walk_difference(read: Read, old: str, new: str) -> tuple[Difference, ...]:
    """The differences from the tree `old` to the tree `new`. Raises TooFar."""
    return tuple(_Walk(read=read).folder("", old, new)) if old != new else ()


@dataclass(slots=True, kw_only=True)
class _Walk:
    read: Read
    left: int = field(default=MOST_FOLDERS)

    def folder(self, prefix: str, old: str | None, new: str | None) -> Iterator[Difference]:
        before, after = self._entries(old), self._entries(new)
        rows: dict[bytes, list[Entry | None]] = {}
        for name in {name for name, _ in before.items() ^ after.items()}:
            for side, entry in enumerate((before.get(name), after.get(name))):
                if entry is not None:
                    # A file and a folder of one name are two places in git's order.
                    key = name + b"/" if is_folder(entry) else name
                    rows.setdefault(key, [None, None])[side] = entry
        for key in sorted(rows):
            one, other = rows[key]
            yield from self._row(prefix + key.decode("utf-8", "surrogateescape"), one, other)

    def _row(self, path: str, old: Entry | None, new: Entry | None) -> Iterator[Difference]:
        if path.endswith("/"):
            if old is None or new is None or old[1] != new[1]:
                yield from self.folder(path, old and old[1], new and new[1])
            return
        before, after = _side(old), _side(new)
        if before != after:
            yield Difference(path=path, status=_letter(before, after), before=before, after=after)

    def _entries(self, tree: str | None) -> Mapping[bytes, Entry]:
        if tree is None:
            return {}
        found = self.read(tree) if self.left > 0 else None
        self.left -= 1
        if found is None:
            raise TooFar
        return found


def _side(entry: Entry | None) -> Entry | None:
    if entry is None:
        return None
    if entry[0] not in _OF_FILES:
        raise TooFar
    return canonical_mode(entry[0]), entry[1]


def _letter(before: Entry | None, after: Entry | None) -> str:
    if before is None or after is None:
        return "A" if before is None else "D"
    return "M" if _kind(before[0]) == _kind(after[0]) else "T"


def _kind(mode: str) -> str:
    return mode[:3]
