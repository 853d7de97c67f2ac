"""Find JSON documents in a page, and read their fields strictly.

Rules kept here:
- A document begins at a `{` or `[` that is the first thing on its line, and is alone on its lines.
- A key that stands twice in an object, a number that is no integer, and a field of the wrong type are faults.
- All faults of a document are collected, each with the path of its field (`edits[2].path`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from difflib import get_close_matches
from typing import Final, NoReturn, TypeAlias

from dev_agent.edits.errors import ParseError
from dev_agent.edits.proposal import Page
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
_BEGINS: Final = re.compile(
    r'[ \t]*(?:\[\s*)?\{\s*(?:"(?:edits|op|path|command|file_text|old_str|new_str|insert_line|insert_text'
    r'|view_range|type|role|content|input|name|id|model)"\s*:|.{0,300}?"(?:edits"\s*:\s*\[|command"\s*:\s*"))',
    re.DOTALL,
)
"""The first key of a document that may be ours, or one of ours not far below."""

_SEPARATOR: Final = re.compile(r"[\s,]*")
_LOOKED_AT: Final = 500
_PIECE: Final = 1024
_DEEP: Final = 20_000
_BUDGET: Final = 20_000_000
"""A page's fragments may cost so many characters, and twenty times its own; one nested too deeply costs `_DEEP`."""
_PARTIAL: Final = 16
"""So close to the end of a piece an error may come from the cut alone (`tru`, `\\u00`)."""


class Malformed(ValueError):
    """The text is no JSON document; says why and where (0-based line)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON document; `start` and `end` are offsets into the page's text, `after` the 0-based line after it."""

    value: Json
    start: int
    end: int
    after: int


def document_at(page: Page, at: int) -> Document | None:
    """Return the document that begins on 0-based line `at`, None if none can begin there.

    Raises Malformed.
    """
    if page.lines[at].lstrip(" \t")[:1] not in {"{", "["}:
        return None
    if at not in page.json_read:
        page.json_read[at] = _read(page, at) if _BEGINS.match(page.text, page.offsets[at]) else None
    found = page.json_read[at]
    if isinstance(found, Malformed):
        raise found
    return found if isinstance(found, Document) else None


def _read(page: Page, at: int) -> Document | Malformed:
    """Read the document on line `at`. Raises ParseError when a page has more fragments than can be looked at."""
    if page.json_cost > _BUDGET + 20 * len(page.text):
        raise ParseError(
            "too many JSON fragments to look through", "send the edits without them", line=at + 1
        )
    page.json_cost += _PIECE
    start = page.offsets[at] + len(page.lines[at]) - len(page.lines[at].lstrip(" \t"))
    try:
        value, end = _decoded(page.text, start)
    except json.JSONDecodeError as error:
        page.json_cost += error.pos
        return Malformed(error.msg, page.line_of(start + error.pos))
    except (ValueError, RecursionError) as error:
        page.json_cost += _DEEP
        return Malformed(str(error) or "it is nested too deeply", at)
    page.json_cost += end - start
    last = page.line_of(max(end - 1, start))
    if page.text[end : page.offsets[last] + len(page.lines[last])].strip():
        return Malformed("text follows it on its line", last)
    return Document(value=value, start=start, end=end, after=last + 1)


def _decoded(text: str, start: int) -> tuple[Json, int]:
    """Return the value at `start` and the offset after it.

    Decodes a piece of the text, and a longer one only if the piece was too short: an error costs time in
    proportion to the text it is found in, and a page may have an error on every line.
    """
    size = _PIECE
    while True:
        piece = text[start : start + size]
        whole = start + size >= len(text)
        try:
            value, end = _DECODER.raw_decode(piece)
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated string") or error.pos > len(piece) - _PARTIAL
            if whole or not cut:
                raise
            size *= 8
            continue
        return value, start + end


def beginning(page: Page, at: int) -> str:
    """Return the text that a malformed document on line `at` may be recognised by."""
    return page.text[page.offsets[at] : page.offsets[at] + _LOOKED_AT]


def element_lines(page: Page, document: Document, key: str | None, elements: Sequence[Json]) -> list[int]:
    """Return the 1-based line on which each element of the document's list begins.

    The list is the document itself, or stands under `key`. Where that cannot be told it is the first line.
    """
    first = page.line_of(document.start) + 1
    opening = re.compile(r"\[" if key is None else rf'"{key}"\s*:\s*\[').search(page.text, document.start)
    at = document.end if opening is None else opening.end()
    lines: list[int] = []
    for element in elements:
        separator = _SEPARATOR.match(page.text, at)
        at = at if separator is None else separator.end()
        try:
            value, end = _decoded(page.text, at)
        except (ValueError, RecursionError):
            return [first] * len(elements)
        if value != element:
            return [first] * len(elements)
        lines.append(page.line_of(at) + 1)
        at = end
    return lines


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, _ in pairs if counts[key] > 1)
        raise ValueError(f"the key '{escaped(twice)}' stands twice in one object")
    return made


def _not_an_integer(text: str) -> NoReturn:
    raise ValueError(f"the number {escaped(text)} is not an integer")


def _integer(text: str) -> int:
    if len(text) > 12:
        raise ValueError("a number has more than 12 digits")
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_not_an_integer,
    parse_constant=_not_an_integer,
)


@dataclass(slots=True)
class Faults:
    """The faults of one document, raised all at once."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, where: str, message: str) -> None:
        """Add a fault of the field `where`."""
        self.found.append((line, f"{where}: {message}" if where else message))

    def check(self, hint: str) -> None:
        """Raise ParseError if there are faults."""
        if self.found:
            first = self.found[0][0]
            raise ParseError("\n".join(text for _, text in self.found), hint, line=first)


@dataclass(slots=True, kw_only=True)
class Fields:
    """One object, read field by field. `where` is its path, `line` its 1-based line. Never raises."""

    value: Mapping[str, Json]
    where: str
    line: int
    faults: Faults
    seen: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        """Return whether the object has the field."""
        return name in self.value

    def text(self, name: str, *, default: str | None = None, empty: bool = True) -> str:
        """Return a string; a fault if it is missing without a default, or empty where it must not be."""
        found = self._take(name, required=default is None)
        if found is None and not self.has(name):
            return default or ""
        if not isinstance(found, str):
            self.fault(name, "must be a string")
            return ""
        if not found and not empty:
            self.fault(name, "must not be empty")
        return found

    def number(self, name: str, *, least: int, required: bool) -> int | None:
        """Return an integer of at least `least`, None if it is absent."""
        found = self._take(name, required=required)
        if not self.has(name):
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            self.fault(name, f"must be an integer of at least {least}")
            return None
        return found

    def skip(self, *names: str) -> None:
        """Count these fields as known without looking at them."""
        self.seen.update(names)

    def fault(self, name: str, message: str) -> None:
        """Add a fault of a field."""
        self.faults.add(self.line, f"{self.where}.{name}".lstrip("."), message)

    def finish(self) -> None:
        """Add a fault for every field that nobody asked for."""
        for name in self.value:
            if name not in self.seen:
                near = get_close_matches(name, self.seen, 1)
                known = (
                    f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(sorted(self.seen))}"
                )
                self.fault(escaped(name, 60), f"is unknown; {known}")

    def _take(self, name: str, *, required: bool) -> Json:
        self.seen.add(name)
        if required and not self.has(name):
            self.fault(name, "is missing")
        return self.value.get(name)
