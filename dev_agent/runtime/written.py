"""An object in its canonical text, held so that nobody can change what was written; frozen once somebody looks.

Every event of every trace is made and checked here, so this is written for speed: what is plainly fine is copied and
encoded, or read and compared, and the rest is left to `canonical`, which is the specification, knows the rarer
spellings (keys of a `StrEnum`) and says where a fault lies. The two never differ in bytes or in what they refuse.

Rules kept here:
- the copy is made before it is encoded, of exact types only: no foreign code runs, and neither another thread nor a
  later change to the original can part the text from the value;
- nothing mutable is handed out: `frozen` is made from the private copy, in the order of the bytes, when asked for;
- reading says yes only to the one spelling of a value within all bounds, and knows no reasons.

Pure, no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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


class _Unusual(Exception):
    """Nothing that the quick way takes; whether it is a fault is for `canonical` to say."""


@final
class Written:
    """A JSON object: `text` is its canonical form, `frozen` the value, deeply immutable."""

    __slots__ = ("_frozen", "_plain", "text")

    def __init__(
        self, text: str, plain: dict[str, Any] | None = None, frozen: Mapping[str, Json] | None = None
    ) -> None:
        """`plain` is a copy nobody else holds, or `frozen` is given; either is what `text` says."""
        self.text = text
        self._plain = plain
        self._frozen = frozen

    @property
    def frozen(self) -> Mapping[str, Json]:
        """The value, the same object every time."""
        frozen = self._frozen
        if frozen is None:
            # Two threads may both get here: they make equal values, and one of them stays.
            self._frozen = frozen = _sealed(self._plain or {})
            self._plain = None
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
    """Return an object copied, checked and written. Raises NotCanonical, naming the place of the fault."""
    try:
        if type(value) not in MAPPINGS:
            raise _Unusual
        plain = _copied_object(value, 0, [MAX_NODES])
        text = text_of(plain)
        if not text.isascii():
            _require_ascii_keys(plain)
            text.encode()
    except (_Unusual, UnicodeEncodeError):
        frozen = frozen_object(value)
        return Written(text_of(frozen), None, frozen)
    return Written(text, plain)


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
    return Written(whole, None, MappingProxyType(made))


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


def _copied_object(value: Any, depth: int, room: list[int]) -> dict[str, Any]:
    room[0] -= len(value)
    if depth >= MAX_DEPTH or room[0] <= 0:
        raise _Unusual
    made: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str:
            raise _Unusual
        kind = type(item)
        # Most values are text or a count, and none of those needs a call.
        if kind is str or (kind is int and 0 <= item <= MAX_INTEGER):
            made[key] = item
        elif kind is dict:
            made[key] = _copied_object(item, depth + 1, room)
        else:
            made[key] = _copied(item, kind, depth + 1, room)
    return made


def _copied(item: Any, kind: type, depth: int, room: list[int]) -> object:
    if kind in MAPPINGS:
        return _copied_object(item, depth, room)
    if kind in SEQUENCES:
        room[0] -= len(item)
        if depth >= MAX_DEPTH or room[0] <= 0:
            raise _Unusual
        return [_copied(one, type(one), depth + 1, room) for one in item]
    if kind is str or item is None or kind is bool or (kind is int and -MAX_INTEGER <= item <= MAX_INTEGER):
        return cast("object", item)
    raise _Unusual


def _require_ascii_keys(value: Any) -> None:
    if type(value) is dict:
        for key, item in value.items():
            if not key.isascii():
                raise _Unusual
            _require_ascii_keys(item)
    elif type(value) is list:
        for item in value:
            _require_ascii_keys(item)


def _sealed(plain: dict[str, Any]) -> Mapping[str, Json]:
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
