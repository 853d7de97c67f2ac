"""An object in its canonical text, held so that nobody can change what was written; frozen once somebody looks.

Every event of every trace is made and checked here, so this is written for speed: what is plainly fine is written as
it is walked, or read and compared, and the rest is left to `canonical`, which is the specification, knows the rarer
spellings (keys of a `StrEnum`) and says where a fault lies. The two never differ in bytes or in what they refuse.
Objects of a run have few shapes: the order of their keys and how those are spelled is kept for the latest shapes.

Rules kept here:
- each value is checked and written in one step, of exact types only: no foreign code runs, and neither another thread
  nor a later change to the original can part the text from the value, for the value is what the text says;
- nothing mutable is handed out: `frozen` is made from the text, in the order of the bytes, when asked for;
- reading says yes only to the one spelling of a value within all bounds, and knows no reasons.

Pure, no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import countOf
from types import MappingProxyType
from typing import Any, cast, final

from dev_agent.runtime.canonical import (
    MAPPINGS,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_NODES,
    SEQUENCES,
    Json,
    frozen_object,
    scanned,
    text_of,
)
from dev_agent.runtime.errors import NotCanonical

_DIGITS = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_TEXT = {str}
_quoted = json.encoder.encode_basestring
_LARGE = b"0" * len(str(MAX_INTEGER))
_WORDS = {None: "null", True: "true", False: "false"}
_SHAPES: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
_SHAPES_KEPT = 256
_MOST = 2 * MAX_NODES
"""Pieces of a text: every value within an object or an array brings two or more, itself and what stands before it."""
_SMALL = 500
"""Characters of all keys together: objects with more are tables, hardly ever of a shape that was seen before."""


class _Unusual(Exception):
    """Nothing that the quick way takes; whether it is a fault is for `canonical` to say."""


@final
class Written:
    """A JSON object: `text` is its canonical form, `frozen` the value, deeply immutable."""

    __slots__ = ("_value", "text")

    def __init__(self, text: str, value: dict[str, Any] | Mapping[str, Json] | None = None) -> None:
        """`value`, where it is known, is what `text` says: frozen, or a dict that nobody else holds."""
        self.text = text
        self._value = value

    @property
    def frozen(self) -> Mapping[str, Json]:
        """The value, the same object every time."""
        value = self._value
        if type(value) is MappingProxyType:
            return value
        # Two threads may both get here: they make equal values, and one of them stays.
        self._value = frozen = _sealed(scanned(self.text) if value is None else value)
        return frozen

    @property
    def size(self) -> int:
        """How many bytes the text has."""
        return len(self.text) if self.text.isascii() else len(self.text.encode())

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if type(other) is Written else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Written({self.text})"


def written(value: object) -> Written:
    """Return an object checked and written. Raises NotCanonical, naming the place of the fault."""
    try:
        if type(value) not in MAPPINGS:
            raise _Unusual
        pieces: list[str] = []
        _object(value, 0, pieces)
        if len(pieces) >= _MOST:
            raise _Unusual
        text = "".join(pieces)
        if not text.isascii():
            text.encode()
    except (_Unusual, UnicodeEncodeError):
        frozen = frozen_object(value)
        return Written(text_of(frozen), frozen)
    return Written(text)


def joined(fields: Mapping[str, object]) -> Written:
    """As `written`, of an object some of whose values are Written already: they are neither walked nor copied again.

    Raises NotCanonical.
    """
    made: dict[str, Json] = {}
    pieces = []
    try:
        if {*map(type, fields)} != _TEXT:
            raise _Unusual
        for key in sorted(fields):
            item = fields[key]
            kind = type(item)
            if kind is str and item.isascii():  # type: ignore[attr-defined]
                text = _quoted(item)  # type: ignore[arg-type]
            elif kind is int and 0 <= item <= MAX_INTEGER:  # type: ignore[operator]
                text = str(item)
            else:
                part = item if isinstance(item, Written) else written(item)
                text, item = part.text, part.frozen
                if text.count("{") + text.count("[") >= MAX_DEPTH:
                    raise _Unusual
            made[key] = item  # type: ignore[assignment]
            pieces.append(f"{_quoted(key)}:{text}")
        whole = f"{{{','.join(pieces)}}}"
        if not whole.isascii() or len(whole) >= MAX_NODES:
            raise _Unusual
    except (_Unusual, NotCanonical):
        return written({key: one.frozen if isinstance(one, Written) else one for key, one in fields.items()})
    return Written(whole, MappingProxyType(made))


def read_written(text: str) -> Written | None:
    """Return the object whose canonical form `text` plainly is; None if a closer look has to decide.

    ASCII only. Whatever is spelled in another way than its value would be (spaces, escapes, the order of keys, a key
    twice, `-0`) comes out differently when it is written again; so does an escaped lone surrogate.
    """
    if not text.isascii() or len(text) >= MAX_NODES or text.count("{") + text.count("[") > MAX_DEPTH:
        return None
    if _LARGE in text.encode().translate(_DIGITS):
        return None  # perhaps an integer beyond 2**53, perhaps only a digest
    value = scanned(text)
    if type(value) is not dict or text_of(value) != text:
        return None
    return Written(text, value)


def _object(value: Any, depth: int, pieces: list[str]) -> None:
    """Add the text of an object, key by key: what is checked is what is written, whatever becomes of the original.

    Every value adds two pieces or more, so a sub-tree that many share ends where there are too many pieces.
    """
    keys = tuple(value)
    if depth >= MAX_DEPTH or len(pieces) >= _MOST or countOf(map(type, keys), str) != len(keys):
        raise _Unusual
    if not keys:
        pieces.append("{}")
        return
    try:
        for key, before in _SHAPES.get(keys) or _shape(keys):
            item = value[key]
            kind = type(item)
            pieces.append(before)
            # Most values are text or a count, and none of those needs a call of ours. An append that is spelled out
            # is the interpreter's own instruction; one that was bound to a name first is a call.
            if kind is str:
                pieces.append(_quoted(item))
            elif kind is int and 0 <= item <= MAX_INTEGER:
                pieces.append(str(item))
            elif kind is dict:
                _object(item, depth + 1, pieces)
            else:
                _add(item, kind, depth + 1, pieces)
    except KeyError:
        raise _Unusual from None  # another thread took it out meanwhile
    pieces.append("}")


def _shape(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The keys of an object in the order of the text, each with what stands before its value."""
    if not all(map(str.isascii, keys)):
        raise _Unusual
    shape = tuple((key, f"{',' if place else '{'}{_quoted(key)}:") for place, key in enumerate(sorted(keys)))
    if sum(map(len, keys)) <= _SMALL:
        if len(_SHAPES) >= _SHAPES_KEPT:
            _SHAPES.clear()
        _SHAPES[keys] = shape
    return shape


def _add(item: Any, kind: type, depth: int, pieces: list[str]) -> None:
    if kind in MAPPINGS:
        _object(item, depth, pieces)
    elif kind in SEQUENCES:
        _array(tuple(item), depth, pieces)
    elif kind is str:
        pieces.append(_quoted(cast("str", item)))
    elif kind is int and -MAX_INTEGER <= item <= MAX_INTEGER:
        pieces.append(str(item))
    elif item is None or kind is bool:
        pieces.append(_WORDS[item])
    else:
        raise _Unusual


def _array(items: tuple[Any, ...], depth: int, pieces: list[str]) -> None:
    if depth >= MAX_DEPTH or len(pieces) >= _MOST:
        raise _Unusual
    before = "["
    for item in items:
        pieces.append(before)
        _add(item, type(item), depth + 1, pieces)
        before = ","
    pieces.append("]" if items else "[]")


def _sealed(plain: Any) -> MappingProxyType[str, Json]:
    """Return a checked copy as immutable, sorted as in its text."""
    made = {}
    for key in sorted(plain):
        item = plain[key]
        kind = type(item)
        made[key] = _sealed(item) if kind is dict else _sealed_array(item) if kind is list else item
    return MappingProxyType(made)


def _sealed_array(plain: list[Any]) -> Json:
    return tuple(
        [
            _sealed(one) if type(one) is dict else _sealed_array(one) if type(one) is list else one
            for one in plain
        ]
    )
