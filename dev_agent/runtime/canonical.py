"""One byte form for one value: RFC 8785 (JCS), restricted until two programs cannot disagree about it.

Values: null, bool, str, int with |int| < 2**53, arrays, objects with ASCII keys. On that domain Python's
`json.dumps(sort_keys=True, separators=(",", ":"), ensure_ascii=False)` *is* RFC 8785. Refused, because
implementations differ on them: floats, larger integers, keys outside ASCII (sorted by UTF-16 units there, by
code points here), lone surrogates. Types are exact, so no foreign `__eq__` or `__str__` ever runs; the one
courtesy is `StrEnum`, taken as its value. Depth and size are bounded.

`freeze` gives the same value deeply immutable (mapping proxies and tuples), `thaw` a private mutable copy.
Everything here accepts frozen and plain values alike. What every event goes through is `written`, which does the same
for what is plainly fine in a fraction of the time, and asks here about everything else. No I/O.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, cast

from dev_agent.runtime.errors import NotCanonical

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""A JSON value; after `freeze`, arrays are tuples and objects are mapping proxies."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64
MAX_NODES = 250_000
_SURROGATE = "text holds a lone surrogate"


def _no_float(text: str) -> Json:
    raise ValueError(f"{text[:40]} is a float")


MAPPINGS = (dict, MappingProxyType)
SEQUENCES = (list, tuple)
# A frozen object is copied, one level at a time, where the encoder meets it.
_ENCODER = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
    default=dict,
)
_DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)


def canonical(value: object) -> bytes:
    """Return the canonical UTF-8 bytes of `value`. Raises NotCanonical, naming the place of the fault."""
    return encode(thaw(value))


def _encoding() -> Callable[[Json], str]:
    """Return the encoder's work as one function.

    `JSONEncoder.encode` sets its machinery up again for every value, which costs more than a small event does.
    Interpreters without the machinery in C get the documented call.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    made = make(None, dict, json.encoder.encode_basestring, None, ":", ",", True, False, False)  # noqa: FBT003 - C
    return lambda plain: "".join(made(plain, 0))


text_of = _encoding()
"""The canonical text of what `freeze`, `thaw` or `parse_canonical` returned, or of a copy known to be as fine."""


def encode(checked: Json) -> bytes:
    """Return the canonical bytes of what `freeze`, `thaw` or `parse_canonical` returned; not checked again."""
    return text_of(checked).encode()


def thaw(value: object) -> Json:
    """Return `value` checked and copied into plain dicts and lists nobody else holds. Raises NotCanonical."""
    return _Copy(make_object=lambda made: made, make_array=lambda made: made).of(value)


def freeze(value: object) -> Json:
    """Return `value` checked, copied and deeply immutable: later changes to the original have no effect."""
    return _Copy(make_object=_frozen_mapping, make_array=tuple).of(value)


def frozen_object(value: object) -> Mapping[str, Json]:
    """Freeze a value that must be an object. Raises NotCanonical for anything else."""
    frozen = freeze(value)
    if not isinstance(frozen, MappingProxyType):
        raise NotCanonical(f"expected an object, got {type(value).__name__}", "pass a dict with text keys")
    return frozen


def parse_canonical(data: bytes) -> Json:
    """Parse bytes that must be exactly the canonical form of some value. Raises NotCanonical otherwise.

    Duplicate keys, other spellings of the same value, floats, a byte-order mark and invalid UTF-8 all fail.
    """
    read = read_json(data)
    try:
        plain = thaw(read)
    except RecursionError:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}") from None
    require_spelling(read, data)
    return plain


def read_json(data: bytes) -> object:
    """Read JSON without floats; neither its values nor its spelling are checked yet. Raises NotCanonical."""
    try:
        return _DECODER.decode(data.decode())
    except RecursionError:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise NotCanonical(f"not JSON: {error}") from None


def scanned(text: str) -> object:
    """Return what JSON without floats at the very start and end of `text` says, None if it is anything else.

    Nothing more is checked, and nothing is explained; `read_json` does that.
    """
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def require_spelling(read: object, data: bytes) -> None:
    """Check that `data`, which was read as `read`, is the one spelling of it. Raises NotCanonical."""
    try:
        same = encode(cast("Json", read)) == data
    except RecursionError:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}") from None
    except UnicodeEncodeError:
        raise NotCanonical(_SURROGATE) from None
    if not same:
        raise NotCanonical(_other_spelling(data))


def _other_spelling(data: bytes) -> str:
    """Say what is wrong with JSON that is not canonical. Of a key that is there twice one was dropped above."""
    try:
        json.loads(data, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        return f"not JSON: {error}"
    return "valid JSON, but not in canonical form"


class _Copy:
    """Copies one value, checking on the way; counts nodes so that a shared sub-tree cannot explode."""

    def __init__(
        self,
        *,
        make_object: Callable[[dict[str, Json]], Mapping[str, Json]],
        make_array: Callable[[list[Json]], Sequence[Json]],
    ) -> None:
        self._make_object = make_object
        self._make_array = make_array
        self._nodes = 0

    def of(self, value: object, depth: int = 0) -> Json:
        kind = type(value)
        if kind in MAPPINGS or kind in SEQUENCES:
            return self._container(value, kind, depth)
        if kind is str:
            return _checked_text(cast("str", value))
        if value is None or kind is bool:
            return cast("bool | None", value)
        if kind is int:
            return _checked_integer(cast("int", value))
        if isinstance(value, StrEnum):
            return _checked_text(str(value.value))
        raise NotCanonical(
            f"{kind.__name__} is not one of null, bool, int, str, list, dict", "convert it first; no floats"
        )

    def _container(self, value: object, kind: type, depth: int) -> Json:
        if depth >= MAX_DEPTH:
            raise NotCanonical(f"nested deeper than {MAX_DEPTH}", "flatten it, or put it into a blob")
        self._nodes += len(cast("Sequence[object]", value))
        if self._nodes >= MAX_NODES:
            raise NotCanonical(f"more than {MAX_NODES} values", "put it into a blob")
        if kind in MAPPINGS:
            return self._object(cast("Mapping[object, object]", value), depth + 1)
        return self._array(cast("Sequence[object]", value), depth + 1)

    def _object(self, value: Mapping[object, object], depth: int) -> Json:
        made: dict[str, Json] = {}
        for key, item in value.items():
            name = key if type(key) is str and key.isascii() else _checked_key(key)
            kind = type(item)
            if (kind is str and item.isascii()) or (kind is int and 0 <= item <= MAX_INTEGER):  # type: ignore[attr-defined, operator]
                made[name] = item  # type: ignore[assignment]
                continue
            try:
                made[name] = self.of(item, depth)
            except NotCanonical as fault:
                raise _within(f".{name}", fault) from None
        return self._make_object(made)

    def _array(self, value: Sequence[object], depth: int) -> Json:
        made: list[Json] = []
        for item in value:
            try:
                made.append(self.of(item, depth))
            except NotCanonical as fault:
                raise _within(f"[{len(made)}]", fault) from None
        return self._make_array(made)


def _within(place: str, fault: NotCanonical) -> NotCanonical:
    """Return the fault with the field path grown by one step, as the error climbs."""
    joint = "" if fault.message.startswith((".", "[")) else ": "
    return NotCanonical(f"{place}{joint}{fault.message}", fault.hint)


def _frozen_mapping(made: dict[str, Json]) -> Mapping[str, Json]:
    # Sorted as in the bytes: an action that walks over a fact sees one order, before and after a resume.
    return MappingProxyType(dict(sorted(made.items())))


def _checked_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotCanonical(_SURROGATE, "encode undecodable bytes, for example as base64") from None
    return text


def _checked_integer(number: int) -> int:
    if -MAX_INTEGER <= number <= MAX_INTEGER:
        return number
    raise NotCanonical("integer outside ±(2**53 - 1)", "write it as text")


def _checked_key(key: object) -> str:
    if type(key) is str and key.isascii():
        return key
    if not isinstance(key, StrEnum) or not key.value.isascii():
        raise NotCanonical("an object's keys must be ASCII text", "use a list of pairs for other keys")
    return str(key.value)


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    return made
