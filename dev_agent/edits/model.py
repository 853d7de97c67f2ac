"""What an edit is: the operations of a proposal, as frozen values, and the limits on them.

Every edit speaks about the *base* tree (`trees.py`), never about the result of another edit of the same proposal. What
an edit may do to a path is ruled in `paths.py`; where its text goes, in `matching.py`; what comes of it is in
`changes.py`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from dev_agent.edits.trees import REGULAR
from dev_agent.values import dataclass


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
