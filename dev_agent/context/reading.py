"""The one way to a file's text for a model: what may be read is given as a page, all else is refused with its reason.

Whatever somebody asks for, by path, by symbol, by a search, by a stack trace, comes through `Reader.page`. Withheld
files (`kinds`) are refused by their name before anything else is asked about them, so that the answer does not even
say whether they exist. A symbolic link is never followed: what it names has to be asked for by its own name. The
text of a page is redacted as a whole before any part of it is cut out, so no excerpt begins inside a credential.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from dev_agent.context.entry import LARGEST
from dev_agent.context.kinds import Kind, kind_of
from dev_agent.context.outline import decode
from dev_agent.context.plain import lines_of, one_line, source_line
from dev_agent.values import dataclass

_FOLDER, _LINK, _SUBMODULE = "040000", "120000", "160000"
_LONGEST_NAME = 200
_MOST_NEAR = 3
_MOST_LISTED = 40
_MOST_COMPARED, _ALIKE = 2_000, 0.75
_NOTES = {
    Kind.GENERATED: "generated: change what it is made from",
    Kind.VENDORED: "a copy of somebody else's code",
    Kind.LOCK: "written by a tool",
}

RedactLines = Callable[[Sequence[str]], list[str]]
"""The lines of a text, with every credential in them blotted out; as many as were given."""


class Library(Protocol):
    """The files of one tree, for reading one by one. Everything it names is relative to the repository's top."""

    def mode(self, path: str) -> str | None:
        """The git mode of what is at `path`, "040000" for a folder, None if nothing is."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file, None if they are more than `LARGEST`. Raises KeyError if there is none."""
        ...

    def covers(self, path: str) -> bool:
        """Whether the task's own restriction (`--path`) lets this be shown."""
        ...

    def paths(self) -> Sequence[str]:
        """Every file, in a fixed order."""
        ...

    def defining(self, name: str) -> Sequence[str]:
        """The files that define a symbol of this bare name, in a fixed order."""
        ...

    def holding(self, text: str) -> Sequence[str]:
        """The files whose text has this literal string in it, in a fixed order; of a huge tree, some of them."""
        ...


class Reason(StrEnum):
    """Why something that was asked for is not shown."""

    WITHHELD = "withheld"
    NO_PATH = "no_path"
    OUTSIDE = "outside"
    ABSENT = "absent"
    FOLDER = "folder"
    LINK = "link"
    SUBMODULE = "submodule"
    BINARY = "binary"
    TOO_LARGE = "too_large"
    NOT_FOUND = "not_found"
    TOO_MANY = "too_many"
    TOO_VAGUE = "too_vague"
    NO_ROOM = "no_room"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """What was asked for, why it is not shown, and a sentence that helps to ask better. All on one line, harmless."""

    what: str
    reason: Reason
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A file's text as it may be shown: whole lines, redacted; `hidden` are the numbers of those that this changed.

    `source` is the text before redaction, for finding definitions in it: never for showing.
    """

    path: str
    lines: tuple[str, ...]
    source: str
    hidden: frozenset[int]
    notes: tuple[str, ...]


def refused(what: str, reason: Reason, detail: str) -> Refused:
    """A refusal; what others wrote in it comes to one harmless line of bounded length."""
    shown = one_line(what)
    return Refused(
        what=shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…",
        reason=reason,
        detail=one_line(detail),
    )


class Reader:
    """Pages of one library. A path is read once, however often it is asked for."""

    def __init__(self, library: Library, redact: RedactLines) -> None:
        self.library = library
        self._redact = redact
        self._known: dict[str, Page | Refused] = {}

    def page(self, path: str) -> Page | Refused:
        """The page of a file as a model or a tool may write its path (`./a.py`, `a\\b.py`), or why there is none."""
        wanted = normal_path(path)
        if wanted is None:
            return refused(path, Reason.NO_PATH, "name a file relative to the repository's top, without '..'")
        if wanted not in self._known:
            self._known[wanted] = self._read(wanted)
        return self._known[wanted]

    def _read(self, path: str) -> Page | Refused:
        kind = kind_of(path)
        if kind is Kind.WITHHELD:
            return refused(path, Reason.WITHHELD, "environments, keys and credentials are never shown")
        mode = self.library.mode(path)
        if mode is not None and mode != _FOLDER and not self.library.covers(path):
            return refused(path, Reason.OUTSIDE, "this task is confined to other files")
        because = self._unreadable(path, mode)
        if because:
            return refused(path, *because)
        data = self.library.read(path) if kind is not Kind.BINARY else b"\0"
        if data is None:
            return refused(path, Reason.TOO_LARGE, f"files over {LARGEST >> 10} KiB are not shown")
        if b"\0" in data:
            return refused(path, Reason.BINARY, "not a text")
        return page_of(path, data, self._redact)

    def _unreadable(self, path: str, mode: str | None) -> tuple[Reason, str] | None:
        if mode is None:
            near = self._near(path)
            return Reason.ABSENT, f"no such file; near it: {', '.join(near)}" if near else "no such file"
        if mode == _FOLDER:
            return Reason.FOLDER, f"a folder; ask for files of it: {', '.join(self._inside(path))}"
        if mode == _LINK:
            return Reason.LINK, "a symbolic link, which is not followed; ask for the file it names"
        if mode == _SUBMODULE:
            return Reason.SUBMODULE, "a submodule; its files are another repository's"
        return None

    @cached_property
    def _showable(self) -> list[str]:
        return [
            path
            for path in self.library.paths()
            if kind_of(path) is not Kind.WITHHELD and self.library.covers(path)
        ]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path in self._showable:
            found[path.rpartition("/")[2]].append(path)
        return found

    def _inside(self, folder: str) -> list[str]:
        inside = [path for path in self._showable if path.startswith(f"{folder}/")]
        return [*inside[:_MOST_LISTED], *(["…"] if len(inside) > _MOST_LISTED else [])]

    def _near(self, path: str) -> list[str]:
        """Files of the same name elsewhere, else of nearly this name; of a large tree only the former."""
        names = self._by_name
        name = path.rpartition("/")[2]
        if name in names or len(names) > _MOST_COMPARED:
            return names.get(name, [])[:_MOST_NEAR]
        alike = difflib.get_close_matches(name, names, n=_MOST_NEAR, cutoff=_ALIKE)
        return [one for other in alike for one in names[other]][:_MOST_NEAR]


def normal_path(path: str) -> str | None:
    """The path as trees spell it, None for what leaves the repository or names no file."""
    parts = [part for part in path.strip().replace("\\", "/").split("/") if part != "."]
    sound = parts and all(parts) and ".." not in parts and "\0" not in path
    return "/".join(parts) if sound else None


def page_of(path: str, data: bytes, redact: RedactLines) -> Page:
    """The page of these bytes, which are a text's."""
    source = decode(data)
    plain = [source_line(line) for line in lines_of(source)]
    lines = redact(plain)
    hidden = frozenset(
        at for at, (old, new) in enumerate(zip(plain, lines, strict=True), start=1) if old != new
    )
    notes = [_NOTES[kind_of(path)]] if kind_of(path) in _NOTES else []
    if not _is_utf8(data):
        notes.append("not UTF-8, shown as Latin-1")
    if hidden:
        notes.append(f"{len(hidden)} with a credential taken out")
    return Page(path=path, lines=tuple(lines), source=source, hidden=hidden, notes=tuple(notes))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
