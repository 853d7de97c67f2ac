"""The values of this package: trees, edits, change sets, limits.

Rules kept here:
- A path is a relative `str` with '/' between components, decoded as `os.fsdecode` does (UTF-8,
  surrogateescape).
- A mode is git's: "100644", "100755", "120000" (symlink), "160000" (submodule); a directory reports "040000".
- Every edit speaks about the *base* tree, never about the result of another edit of the same proposal.
- A change set holds only changes that change something, sorted by path, one per path.

What an edit may do to a path is ruled in `paths.py`; where its text goes, in `matching.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, Protocol, TypeAlias

from dev_agent.values import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what is read. Beyond them a proposal is refused before work is spent on it."""

    patch_bytes: int = 10_000_000
    file_bytes: int = 10_000_000
    file_lines: int = 1_000_000
    edits: int = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where in the proposal an edit came from: its 1-based line, and the line that names its file.

    `name_certain` is false if the named thing might be a word of prose; such a name counts only if the base
    has it.
    """

    line: int = 0
    name_line: int = 0
    name_certain: bool = True


NOWHERE: Final = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make a file (or, with mode "120000", a symlink whose target is `text`) where the base has none."""

    path: str
    text: str
    mode: str = REGULAR
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Replace the whole lines `old`, which must stand at exactly one place in the base file, by `new`.

    `old` and `new` are lines with their line ends. `line_hint` is the 1-based base line at which `old` should
    begin; it chooses between several places only if one is at exactly that line. `numbered` says the hint
    comes from a diff whose own counts agree: then an empty `old` means insertion before that line. Otherwise
    an empty `old` fits only an absent or empty file. `to` is set if a `Move` or `Copy` of the same proposal
    carries the edited text there. `anchors` are lines above `old`, outermost first, that narrow the search
    (see `scope.py`); `at_end` says that `old` ends the file.
    """

    path: str
    old: str
    new: str
    line_hint: int | None = None
    numbered: bool = False
    anchors: tuple[str, ...] = ()
    at_end: bool = False
    to: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceText:
    """Replace the text `old`, which must occur exactly once in the base file, by `new`.

    `old` may begin and end inside a line. `to` as in `Replace`. With `verbatim` it must stand there letter for
    letter: what is sought after other operations may be text that only they together make, and taking something
    similar in the base for it would be a guess.
    """

    path: str
    old: str
    new: str
    to: str | None = None
    verbatim: bool = False
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert:
    """Insert the whole lines `text` after the 1-based base line `after`; 0 is the top, None the end.

    `to` as in `Replace`.
    """

    path: str
    text: str
    after: int | None
    to: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSymbol:
    """Replace a Python function, class or method by the definition `text`.

    `symbol` is its qualified name ("Cart.total"). `line_hint`, its 1-based line in the base, chooses between
    definitions of one name. `to` as in `Replace`.
    """

    path: str
    symbol: str
    text: str
    line_hint: int | None = None
    to: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertAfterSymbol:
    """Insert the Python definition `text` after a function, class or method. Fields as in `ReplaceSymbol`."""

    path: str
    symbol: str
    text: str
    line_hint: int | None = None
    to: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class AddImport:
    """See to it that a Python file imports what the import statement `statement` names.

    `to` as in `Replace`.
    """

    path: str
    statement: str
    to: str | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Remove a file or symlink.

    If `expected` is given, the base must hold it (up to line ends and trailing space).
    """

    path: str
    expected: bytes | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Move the file at `path` to `to`; edits with the same `path` and `to` apply to its text on the way."""

    path: str
    to: str
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Copy the file at `path` to `to`; edits with the same `path` and `to` apply to the copy."""

    path: str
    to: str
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Make `text` the whole content of a file, present or not.

    Line-end style, byte order mark and mode are kept. `declared` false: it was recognised as a whole file,
    nobody said so; then a text much shorter than the base file is refused as one that leaves out lines.
    """

    path: str
    text: str
    declared: bool = True
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    """Give a regular file the mode "100644" or "100755". `to` as in `Replace`."""

    path: str
    mode: str
    to: str | None = None
    origin: Origin = NOWHERE


TextEdit: TypeAlias = Replace | ReplaceText | Insert | ReplaceSymbol | InsertAfterSymbol | AddImport
"""What is put in its place in a base file by `placing.py`."""

Edit: TypeAlias = Create | TextEdit | Delete | Move | Copy | Write | SetMode


class MatchLevel(IntEnum):
    """How much leniency finding a place took. Policy may cap it."""

    EXACT = 0
    WHITESPACE = 1
    INDENT = 2
    UNICODE = 3
    ELLIPSIS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where one text edit went: base line (1-based), the ladder's level, how many places fitted there.

    `count` is 1 unless a line number chose between several places.
    """

    path: str
    level: MatchLevel
    line: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path before and after. `before` None: added; `after` None: deleted."""

    path: str
    before_mode: str | None
    before: bytes | None
    after_mode: str | None
    after: bytes | None

    @property
    def is_empty(self) -> bool:
        """True if nothing differs."""
        return (self.before_mode, self.before) == (self.after_mode, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What a proposal does to the base tree.

    Changes that change nothing are dropped; the rest is sorted by path.
    """

    changes: tuple[Change, ...]
    matches: tuple[Match, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kept = sorted(
            (change for change in self.changes if not change.is_empty), key=lambda change: change.path
        )
        if len({change.path for change in kept}) != len(kept):
            raise ValueError("BUG: a change set names one path twice")
        object.__setattr__(self, "changes", tuple(kept))

    @property
    def empty(self) -> bool:
        """True if the base tree stays as it is."""
        return not self.changes
