"""Canonical JSON: one value, one spelling; frozen means frozen."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime import canonical as module
from dev_agent.runtime.canonical import (
    MAX_DEPTH,
    canonical,
    freeze,
    frozen_object,
    parse_canonical,
    thaw,
)
from dev_agent.runtime.errors import NotCanonical

pytestmark = pytest.mark.law

KEYS = st.text(st.characters(max_codepoint=127))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def rfc8785(value: object) -> str:
    """RFC 8785 written down a second time, from its text: sections 3.2.2 and 3.2.3."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(_escaped(sign) for sign in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(rfc8785(item) for item in value) + "]"
    assert isinstance(value, dict)
    ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{rfc8785(key)}:{rfc8785(value[key])}" for key in ordered) + "}"


def _escaped(sign: str) -> str:
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    if sign in short:
        return short[sign]
    return f"\\u{ord(sign):04x}" if sign < " " else sign


@given(VALUES)
def test_canonical_bytes_are_rfc_8785_on_the_restricted_domain(value: object) -> None:
    assert canonical(value) == rfc8785(value).encode()


@given(VALUES)
def test_parsing_what_was_rendered_gives_the_value_back(value: object) -> None:
    assert parse_canonical(canonical(value)) == value


@given(VALUES)
def test_frozen_thawed_and_plain_values_have_the_same_bytes(value: object) -> None:
    assert canonical(freeze(value)) == canonical(thaw(freeze(value))) == canonical(value)


@given(VALUES, st.binary(min_size=1, max_size=3), st.integers(0, 200))
def test_no_other_spelling_of_a_value_parses(value: object, noise: bytes, at: int) -> None:
    data = canonical(value)
    other = data[: at % len(data)] + noise + data[at % len(data) :]
    try:
        parsed = parse_canonical(other)
    except NotCanonical:
        return
    assert canonical(parsed) == other


def test_a_frozen_value_cannot_be_changed_at_any_depth() -> None:
    original: dict[str, Any] = {"a": {"b": [1, {"c": 2}]}}
    frozen: Any = freeze(original)

    original["a"]["b"][1]["c"] = 3
    with pytest.raises(TypeError):
        frozen["a"]["b"][1]["c"] = 3
    with pytest.raises(TypeError):
        frozen["a"]["b"][0] = 3

    assert frozen["a"]["b"][1]["c"] == 2


def test_a_frozen_object_is_ordered_like_its_bytes() -> None:
    assert list(frozen_object({"b": 1, "a": 2})) == ["a", "b"]


class Colour(StrEnum):
    RED = "red"


class Text(str):
    __slots__ = ()


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def shared(levels: int) -> object:
    value: object = [1] * 10
    for _ in range(levels):
        value = [value] * 10
    return value


def test_an_enumeration_of_text_counts_as_its_text() -> None:
    assert canonical({Colour.RED: Colour.RED}) == b'{"red":"red"}'
    assert type(thaw(Colour.RED)) is str


def test_depth_up_to_the_bound_is_fine() -> None:
    assert canonical(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.0, "float is not one of"),
        ({"a": [{"b": 2.5}]}, ".a[0].b: float is not one of"),
        (2**53, "integer outside"),
        (-(2**53), "integer outside"),
        ("\ud800", "lone surrogate"),
        ({"ä": 1}, "ASCII"),
        ({1: 1}, "ASCII"),
        (b"bytes", "bytes is not one of"),
        ({1, 2}, "set is not one of"),
        (Text("x"), "Text is not one of"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (shared(6), "more than 250000 values"),
        (MappingProxyType({"a": 1j}), ".a: complex is not one of"),
    ],
)
def test_a_value_without_canonical_form_is_refused_where_it_stands(value: object, message: str) -> None:
    for function in (canonical, freeze, thaw):
        with pytest.raises(NotCanonical) as caught:
            function(value)
        assert message in caught.value.message


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop += [loop, loop]
    with pytest.raises(NotCanonical) as caught:
        canonical(loop)
    assert "nested deeper" in caught.value.message


def test_only_objects_freeze_to_objects() -> None:
    with pytest.raises(NotCanonical) as caught:
        frozen_object([1])
    assert caught.value.message == "expected an object, got list"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b'{"a":1,"a":1}', "same key twice"),
        (b"1.0", "is a float"),
        (b"1e3", "is a float"),
        (b"NaN", "is a float"),
        (b'{"b":1,"a":2}', "not in canonical form"),
        (b'{"a": 1}', "not in canonical form"),
        (b'"\\u0041"', "not in canonical form"),
        (b"-0", "not in canonical form"),
        (b"1\n", "not in canonical form"),
        (b'"\\ud800"', "lone surrogate"),
        (b"9007199254740992", "integer outside"),
        (b"9" * 5000, "not JSON"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_bytes_that_are_not_the_one_form_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        parse_canonical(data)
    assert message in caught.value.message


@pytest.mark.parametrize("make", [canonical, lambda value: json.dumps(value).encode()])
def test_keys_sort_by_code_unit(make: Callable[[object], bytes]) -> None:
    assert parse_canonical(canonical(json.loads(make({"b": 1, "B": 2, "a": 3})))) == {"B": 2, "a": 3, "b": 1}


@given(VALUES)
def test_the_encoder_without_its_machinery_in_c_writes_the_same(value: object) -> None:
    made = module._ENCODER.encode(freeze(value))
    assert made.encode() == canonical(value)


def test_without_the_machinery_the_documented_call_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert module._encoding()({"b": [1], "a": None}) == '{"a":null,"b":[1]}'


@pytest.mark.parametrize("data", [b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}'])
def test_a_key_that_is_there_twice_is_named_as_such(data: bytes) -> None:
    with pytest.raises(NotCanonical, match="same key twice"):
        parse_canonical(data)
