"""What a model asks to see, and what it is given of that.

A request is typed and bounded: files by path, symbols by qualified name, literal search strings (a pattern of a
model's would be a program of its own). Of each kind the first few count, the rest is refused as too many; a request
for 5,000 files costs what one for twenty costs. All text comes through `Reader.page`, so what is withheld is withheld
however it is asked for, and a search counts only what is seen in the redacted lines: it cannot be used to guess a
credential.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from dev_agent.context.blocks import blocks_of
from dev_agent.context.excerpts import Focus, Wish, lines_with
from dev_agent.context.kinds import WEIGHT, kind_of
from dev_agent.context.modules import Modules
from dev_agent.context.reading import Page, Reader, Reason, Refused, normal_path, refused
from dev_agent.values import dataclass

MOST_FILES, MOST_SYMBOLS, MOST_SEARCHES = 20, 20, 10
_MOST_LISTED = 10_000
_LONGEST = 300
_SHORTEST_SEARCH = 3
_HOMES, _LOOKED_AT, _HITS, _HITS_EACH = 3, 30, 8, 4

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "files": {
            "type": "array",
            "items": {"type": "string"},
            "description": "paths from the repository's top",
        },
        "symbols": {"type": "array", "items": {"type": "string"}, "description": "names as Bill.total"},
        "searches": {"type": "array", "items": {"type": "string"}, "description": "literal text of one line"},
    },
    "required": ["files", "symbols", "searches"],
}
"""The form of a request, for those who ask a model for one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A request. Each text as the model wrote it."""

    files: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.files or self.symbols or self.searches)


NOTHING = Wanted()


def wanted_from(data: Mapping[str, Any]) -> Wanted:
    """The request in an answer's JSON; a missing list is an empty one. Raises ValueError that names the bad field."""
    return Wanted(
        files=_texts(data, "files"), symbols=_texts(data, "symbols"), searches=_texts(data, "searches")
    )


class Wishes:
    """What several requests come to: each file once, in the order of asking, and what was refused on the way."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._made: dict[str, Wish] = {}
        self.refused: list[Refused] = []

    def __iter__(self) -> Iterator[Wish]:
        return iter(self._made.values())

    def add(self, wanted: Wanted, *, why: str = "asked for", weight: int = 1, most: int = MOST_FILES) -> None:
        """Ask for more, of which at most `most` files count. `weight` is each file's share of room."""
        for path in self._first(wanted.files, most, "files"):
            self.wish(Wish(path=path, why=why, weight=weight))
        for name in self._first(wanted.symbols, MOST_SYMBOLS, "symbols"):
            homes = list(_homes(name, self._reader))
            for path, qualified in homes:
                focus = Focus(names=(qualified,))
                self.wish(Wish(path=path, why=f"defines {qualified}", focus=focus, weight=weight, parts=True))
            if not homes:
                self.refused.append(refused(name, Reason.NOT_FOUND, "no definition of this name is known"))
        for text in self._first(wanted.searches, MOST_SEARCHES, "searches"):
            self._search(text, weight)

    def wish(self, wish: Wish) -> None:
        """One file. Two wishes for a file are one: all of it if either wants all, and what matters to both matters."""
        page = self._reader.page(wish.path)
        if isinstance(page, Refused):
            self.refused.append(page)
            return
        known = self._made.get(page.path)
        if known is None:
            self._made[page.path] = replace(wish, path=page.path)
            return
        focus = Focus(
            lines=(*known.focus.lines, *wish.focus.lines),
            names=(*known.focus.names, *wish.focus.names),
            words=known.focus.words or wish.focus.words,
        )
        why = known.why if wish.why in known.why else f"{known.why}, {wish.why}"
        parts = known.parts and wish.parts
        self._made[page.path] = replace(known, focus=focus, why=why, parts=parts)

    def _search(self, text: str, weight: int) -> None:
        if len(text.strip()) < _SHORTEST_SEARCH or not _is_line(text):
            hint = "search for literal text of one line, three characters or more"
            self.refused.append(refused(text, Reason.TOO_VAGUE, hint))
            return
        pages = list(islice(_pages_with(text, self._reader), _HITS))
        for page in pages:
            focus = Focus(lines=tuple(lines_with(page, text)[:_HITS_EACH]))
            why = "holds the text searched for"
            self.wish(Wish(path=page.path, why=why, focus=focus, weight=weight, parts=True))
        if not pages:
            self.refused.append(refused(text, Reason.NOT_FOUND, "this text is in no file that may be shown"))

    def _first(self, asked: Sequence[str], most: int, kind: str) -> Iterator[str]:
        """The first few, each once; what is too long is refused by itself, the rest together."""
        several = list(dict.fromkeys(asked))
        for one in several[:most]:
            if one.strip() and len(one) <= _LONGEST:
                yield one
            else:
                hint = f"give {kind} of 1 to {_LONGEST} characters"
                self.refused.append(refused(one, Reason.TOO_VAGUE, hint))
        if len(several) > most:
            what = f"{len(several) - most} more {kind}"
            self.refused.append(refused(what, Reason.TOO_MANY, f"at most {most} {kind} count at a time"))


def _is_line(text: str) -> bool:
    """Whether a line of a file can hold this: no line break, no NUL, nothing that no file can be written with."""
    if any(sign in text for sign in "\n\r\0"):
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _pages_with(text: str, reader: Reader) -> Iterator[Page]:
    """Pages in which the text is seen: what is written by hand first, then by path."""
    candidates = sorted(set(reader.library.holding(text)), key=_by_hand_first)
    for path in candidates[:_LOOKED_AT]:
        page = reader.page(path)
        if isinstance(page, Page) and lines_with(page, text):
            yield page


def _homes(name: str, reader: Reader) -> Iterator[tuple[str, str]]:
    """Files that define a symbol, and its name there, by whatever end of its full name it is called.

    `total`, `Bill.total`, `shop.bill.Bill.total`, `src/shop/bill.py::Bill.total`.
    """
    file, _, symbol = name.strip().removesuffix("()").rpartition("::")
    only = normal_path(file) if file.endswith(".py") or "/" in file else None
    if file and only is None:
        symbol = f"{file}.{symbol}".replace("::", ".")
    parts = symbol.split(".")
    if not all(part.isidentifier() for part in parts):
        return
    known = set(reader.library.defining(parts[-1]))
    candidates = sorted(known, key=_by_hand_first) if only is None else sorted(known & {only})
    modules = Modules(reader.library.paths()) if len(parts) > 1 else None
    found = (home for path in candidates[:_LOOKED_AT] for home in _defined(path, parts, modules, reader))
    yield from islice(found, _HOMES)


def _defined(
    path: str, parts: Sequence[str], modules: Modules | None, reader: Reader
) -> Iterator[tuple[str, str]]:
    """The file and the first definition in it that is called so; nothing if there is none or it is not to be shown."""
    page = reader.page(path)
    if isinstance(page, Refused):
        return
    name = f".{'.'.join(parts)}"
    module = modules.name_of(path) if modules else ""
    for block in blocks_of(path, page.source):
        full = f".{module}.{block.name}" if module else f".{block.name}"
        # A path's folders may stand before a module's name: `src.shop.bill` is `shop.bill`.
        if full.endswith(name) or (module and name.endswith(full)):
            yield path, block.name
            return


def _by_hand_first(path: str) -> tuple[float, str]:
    """What is written by hand before its tests, copies and what is generated, then by path."""
    return (-WEIGHT.get(kind_of(path), 0.0), path)


def _texts(data: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = data.get(field, [])
    if not isinstance(value, list | tuple) or len(value) > _MOST_LISTED:
        raise ValueError(f"{field}: expected a list of texts")
    for at, one in enumerate(value):
        if not isinstance(one, str):
            raise ValueError(f"{field}[{at}]: expected a text")  # noqa: TRY004 - the data is wrong, not the program
    return tuple(value)
