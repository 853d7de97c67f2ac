"""The quick way of writing and reading an event's data: the same bytes and the same refusals as the specification."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dev_agent.runtime import written as module
from dev_agent.runtime.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_NODES,
    Json,
    canonical,
    freeze,
    frozen_object,
    parse_canonical,
)
from dev_agent.runtime.errors import NotCanonical
from dev_agent.runtime.written import Written, joined, read_written, written

pytestmark = pytest.mark.law


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Upside(StrEnum):
    """A key whose comparison is somebody else's code."""

    A = "a"

    def __lt__(self, other: str) -> bool:
        raise AssertionError("foreign code ran")

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")


KEYS = st.text(st.characters(max_codepoint=127), max_size=4)
ANY_KEYS = st.one_of(
    KEYS, st.text(max_size=2), st.integers(0, 2), st.none(), st.booleans(), st.just(Colour.RED)
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**54), 2**54),
    st.sampled_from([MAX_INTEGER, -MAX_INTEGER, MAX_INTEGER + 1, -MAX_INTEGER - 1, 10**400]),
    st.text(max_size=4),
    st.sampled_from(["\ud800", "a\udfff", "\uff20", "\U00010000", '"\\\x00\x1f\x7f\u2028', "ключ"]),
    st.sampled_from(
        [1.5, 1e16, -0.0, float("nan"), float("inf"), b"x", 1j, Text("x"), Colour.RED, Number.ONE]
    ),
)
FAIR_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
)


def containers(inner: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    made = st.dictionaries(keys, inner, max_size=4)
    lists = st.lists(inner, max_size=3)
    return st.one_of(
        made,
        made,
        lists,
        lists.map(tuple),
        made.map(MappingProxyType),
        made.map(OrderedDict),
        made.map(freely_frozen),
    )


def freely_frozen(value: object) -> object:
    try:
        return freeze(value)
    except NotCanonical:
        return value


ANYTHING = st.dictionaries(
    ANY_KEYS, st.recursive(LEAVES, lambda inner: containers(inner, ANY_KEYS), max_leaves=12)
)
OBJECTS = st.dictionaries(
    KEYS,
    st.recursive(FAIR_LEAVES, lambda one: st.lists(one, max_size=3) | st.dictionaries(KEYS, one, max_size=4)),
    max_size=5,
)


def told(function: Callable[[Any], object], value: object) -> object:
    """What a function gives, or the refusal it says."""
    try:
        return function(value)
    except NotCanonical as fault:
        return ("refused", fault.message, fault.hint)


def nested(depth: int, innermost: type = dict) -> dict[str, object]:
    value: object = innermost()
    for _ in range(depth - 2):
        value = [value]
    return {"a": value}


def shared(levels: int, around: Callable[[object], object]) -> dict[str, object]:
    value: object = 1
    for _ in range(levels):
        value = around(value)
    return {"a": value}


@given(ANYTHING)
@example({1: 2, "1": 3})
@example({"a": {True: 1}})
@example({"\uff20": 1, "\U00010000": 2})
@example({"a": {"é": 1}})
@example({"é": "ASCII is only the value"})
@example({"a": ["b", {"ключ": 1}]})
@example({"a": "\ud800"})
@example({"a": -0.0})
def test_writing_gives_the_bytes_and_the_refusals_of_the_specification(value: object) -> None:
    assert told(lambda one: written(one).text.encode(), value) == told(canonical, value)
    assert told(lambda one: written(one).frozen, value) == told(frozen_object, value)


@pytest.mark.parametrize(
    "value",
    [[1], "text", None, 1, 1.5, OrderedDict(a=1), nested(MAX_DEPTH), nested(MAX_DEPTH + 1), nested(MAX_DEPTH, list),
     nested(MAX_DEPTH + 1, list), shared(40, lambda one: [one] * 10), shared(40, lambda one: {"a": one, "b": one}),
     {"a": [1] * MAX_NODES}, {"a": [1] * (MAX_NODES - 2)}, {"a": [1] * (MAX_NODES - 1)},
     {Colour.RED: 1}, {Upside.A: 1, "b": 2}, {"a": (1, {Colour.RED: None})}, {"a": 10**5000}],
)  # fmt: skip
def test_the_bounds_and_the_rarer_spellings_are_those_of_the_specification(value: object) -> None:
    assert told(lambda one: written(one).frozen, value) == told(frozen_object, value)


def test_keys_that_only_look_like_those_written_before_are_refused_all_the_same() -> None:
    assert written({"state": 1}).text == '{"state":1}'
    value = {Text("state"): 1}
    assert told(lambda one: written(one).text.encode(), value) == told(canonical, value)
    with pytest.raises(NotCanonical):
        written({"a": {Text("state"): 1}})


def test_few_shapes_are_kept_and_no_large_ones() -> None:
    for number in range(3 * module._SHAPES_KEPT):
        assert written({f"key{number}": number, "a": 0}).text == f'{{"a":0,"key{number}":{number}}}'
    assert len(module._SHAPES) <= module._SHAPES_KEPT
    table = {f"row{number}": number for number in range(module._SMALL)}
    assert parse_canonical(written(table).text.encode()) == table
    assert tuple(table) not in module._SHAPES


class Leaking(dict[str, int]):
    """A mapping from which somebody takes a key while it is walked."""

    def __getitem__(self, key: str) -> int:
        raise KeyError(key)


def test_what_loses_a_key_while_it_is_walked_is_written_whole_or_refused() -> None:
    value = MappingProxyType(Leaking(a=1))
    assert told(lambda one: written(one).text, value) == '{"a":1}'


@given(OBJECTS)
def test_what_is_frozen_is_ordered_like_its_bytes_and_frozen_at_every_depth(value: dict[str, Any]) -> None:
    made = written(value)
    assert json.dumps(made.frozen, default=dict, ensure_ascii=False, separators=(",", ":")) == made.text
    assert freeze(made.frozen) == made.frozen
    assert made.size == len(made.text.encode())
    assert made.frozen is made.frozen
    assert "dict" not in {type(one).__name__ for one in parts_of(made.frozen)}


def parts_of(value: Json) -> list[object]:
    """Every value in a value, itself included."""
    if isinstance(value, MappingProxyType | dict):
        return [value, *(one for item in value.values() for one in parts_of(item))]
    if isinstance(value, list | tuple):
        return [value, *(one for item in value for one in parts_of(item))]
    return [value]


def test_what_was_written_does_not_change_with_the_original_whenever_it_is_first_looked_at() -> None:
    original: dict[str, Any] = {"a": {"b": [1, {"c": 2}]}, "d": ["x"]}
    made = written(original)

    original["a"]["b"][1]["c"] = 3
    original["d"].append("y")
    del original["a"]["b"][0]

    assert made.text == '{"a":{"b":[1,{"c":2}]},"d":["x"]}'
    assert made.frozen == freeze({"a": {"b": [1, {"c": 2}]}, "d": ["x"]})
    with pytest.raises(TypeError):
        made.frozen["a"] = 1  # type: ignore[index]


@given(OBJECTS)
def test_reading_says_yes_to_what_was_written_if_it_is_plain(value: dict[str, Any]) -> None:
    text = written(value).text
    plain = text.isascii() and module._LARGE not in text.encode().translate(module._DIGITS)
    read = read_written(text)
    assert (read is not None) is plain
    if read is not None:
        assert (read, read.frozen) == (written(value), freeze(value))


@given(OBJECTS, st.text(st.characters(max_codepoint=127), max_size=3), st.integers(0, 300), st.integers(0, 2))
def test_reading_never_says_yes_where_the_specification_says_no(
    value: dict[str, Any], noise: str, at: int, gone: int
) -> None:
    text = written(value).text
    at %= len(text)
    other = text[:at] + noise + text[at + gone :]
    read = read_written(other)
    if read is not None:
        assert freeze(parse_canonical(other.encode())) == read.frozen


OTHER_SPELLINGS = (
    '{"a": 1}', '{"a":1 }', ' {"a":1}', '{"a":1}\n', '{"a":1}\r', '{"\\u0061":1}', '{"b":1,"a":2}', '{"a":1.0}',
    '{"a":1e3}', '{"a":-0}', '{"a":01}', '{"a":1,"a":1}', '{"a":{"b":1,"b":1}}', '{"a":NaN}', '{"a":Infinity}',
    '{"a":"\\/"}', '{"a":"\\u000a"}', '{"a":"\\u001F"}', '{"a":"\x7f\n"}', '{"a":"\\ud800"}', '\ufeff{"a":1}',
    '{"a":9007199254740992}', '{"a":-9007199254740992}', '{"a":True}', "{'a':1}", '{"a":[1,]}', "{}{}", "[]", "1",
    "", '{"\\u00e9":1}', '{"a":"\\u00e9"}',
)  # fmt: skip


@pytest.mark.parametrize(
    "text", [*OTHER_SPELLINGS, '{"a":' + "[" * 100_000, written(nested(MAX_DEPTH)).text + " "]
)
def test_no_other_spelling_is_read(text: str) -> None:
    assert read_written(text) is None
    with pytest.raises(NotCanonical):
        frozen_object(parse_canonical(text.encode()))


def test_what_the_quick_reading_leaves_alone_is_still_fine() -> None:
    for value in ({"a": "grüße"}, {"a": MAX_INTEGER}, {"a": "0" * 16}, nested(MAX_DEPTH)):
        text = written(value).text
        assert read_written(text) is None or value == nested(MAX_DEPTH)
        assert parse_canonical(text.encode()) == value


def test_what_is_written_compares_by_its_text_and_shows_it() -> None:
    one, other = written({"a": 1}), Written('{"a":1}', {"a": 1})
    assert one == other
    assert hash(one) == hash(other)
    assert one != written({"a": True})
    assert one != '{"a":1}'
    assert repr(one) == 'Written({"a":1})'


PARTS = st.one_of(
    st.text(max_size=4), st.integers(-2, 2**54), OBJECTS, OBJECTS.map(written), st.booleans(), st.none(), st.just(1.5)
)  # fmt: skip


def opened(fields: dict[Any, Any]) -> dict[Any, object]:
    return {key: one.frozen if isinstance(one, Written) else one for key, one in fields.items()}


@given(st.dictionaries(ANY_KEYS, PARTS, max_size=5))
@example({})
@example({"a": written({}), "é": 1})
@example({1: 2, "a": 3})
@example({"a": "\ud800"})
def test_joining_is_writing_the_whole(fields: dict[str, Any]) -> None:
    assert told(lambda one: joined(one).text, fields) == told(lambda one: written(opened(one)).text, fields)
    assert told(lambda one: joined(one).frozen, fields) == told(
        lambda one: written(opened(one)).frozen, fields
    )


def test_joining_does_not_take_a_part_deeper_or_larger_than_the_whole_may_be() -> None:
    for part in (nested(MAX_DEPTH), {"a": [1] * (MAX_NODES - 2)}):
        fields = {"a": written(part), "b": [0] * 4}
        assert told(joined, fields) == told(written, opened(fields))
        assert isinstance(told(joined, fields), tuple)
    deepest = {"a": written(nested(MAX_DEPTH - 1))}
    assert joined(deepest) == written(opened(deepest))


def test_a_part_that_was_joined_is_the_very_object() -> None:
    part = written({"b": [1]})
    assert joined({"a": part, "c": "x"}).frozen["a"] is part.frozen
