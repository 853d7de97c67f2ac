"""Conditions: Python's meaning on a small part of its grammar, everything else an error with a caret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime.canonical import freeze
from dev_agent.runtime.conditions import MAX_LENGTH, parse
from dev_agent.runtime.errors import ConditionError, FactUnusable, MissingFact
from dev_agent.runtime.facts import has_type
from dev_agent.runtime.grammar import MAX_DEPTH
from dev_agent.runtime.states import FactType

DECLARED = {
    "a.flag": FactType.BOOL,
    "a.other": FactType.BOOL,
    "a.count": FactType.INT,
    "a.limit": FactType.INT,
    "a.name": FactType.STR,
    "a.text": FactType.STR,
    "a.paths": FactType.LIST,
    "a.raw": FactType.JSON,
    "check.types.count": FactType.INT,
}
FACTS: Mapping[str, Any] = {
    "a.flag": True,
    "a.other": False,
    "a.count": 3,
    "a.limit": 5,
    "a.name": "x",
    "a.text": "an x error",
    "a.paths": ("x", "y"),
    "check.types.count": 0,
}


def atoms() -> st.SearchStrategy[str]:
    integers = st.sampled_from(["a.count", "a.limit", "0", "3", "-5"])
    texts = st.sampled_from(["a.name", "a.text", "'x'", "'error'"])
    lists = st.sampled_from(["a.paths", "['x', 'z']"])
    comparison = st.one_of(
        st.tuples(integers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), integers),
        st.tuples(texts, st.sampled_from(["==", "!=", "in", "not in"]), texts),
        st.tuples(texts, st.sampled_from(["in", "not in"]), lists),
        st.tuples(st.just("a.count"), st.sampled_from(["in", "not in"]), st.just("[1, 3]")),
        st.tuples(
            st.just("a.flag"), st.sampled_from(["==", "!="]), st.sampled_from(["True", "False", "a.other"])
        ),
        st.tuples(integers, st.just("< a.limit <="), integers),
        st.tuples(st.just("a.paths"), st.just("=="), lists),
    )
    facts = st.sampled_from(["a.flag", "a.other"])
    # A comparison of constants only is refused by design; keep those that name a fact.
    return facts | comparison.map(" ".join).filter(lambda source: "a." in re.sub(r"'[^']*'", "", source))


EXPRESSIONS = st.recursive(
    atoms().filter(lambda source: all("a." in part for part in _pairs(source))),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        inner.map(lambda part: f"not ({part})"),
        inner.map(lambda part: f"({part})"),
    ),
    max_leaves=8,
)


def _pairs(source: str) -> list[str]:
    """The neighbouring operands of a chain, which may not both be constants."""
    operands = re.split(r" (?:not in|in|[<>=!]=?) ", f"{source}")
    return [f"{left} {right}" for left, right in pairwise(operands)] or [source]


@pytest.mark.law
@given(
    source=EXPRESSIONS,
    numbers=st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_conditions_mean_what_python_means(
    source: str, numbers: tuple[int, int], flags: tuple[bool, bool]
) -> None:
    facts = {**FACTS, "a.count": numbers[0], "a.limit": numbers[1], "a.flag": flags[0], "a.other": flags[1]}
    plain = {name.removeprefix("a."): value for name, value in facts.items() if name.startswith("a.")}
    plain["paths"] = ["x", "y"]
    expected = eval(source, {"__builtins__": {}}, {"a": SimpleNamespace(**plain)})  # noqa: S307 - the reference
    assert parse(source, DECLARED).evaluate(facts) is expected


def test_a_condition_knows_the_facts_it_needs_in_order() -> None:
    condition = parse("check.types.count > 0 or a.flag and a.count < a.limit", DECLARED)
    assert condition.names == ("check.types.count", "a.flag", "a.count", "a.limit")
    assert condition.evaluate(FACTS)


def test_frozen_and_plain_lists_are_equal() -> None:
    condition = parse("a.paths == ['x', 'y']", DECLARED)
    assert condition.evaluate({"a.paths": ["x", "y"]})
    assert condition.evaluate({"a.paths": freeze(["x", "y"])})


@pytest.mark.parametrize(
    ("source", "column", "message", "hint"),
    [
        ("a.cuont > 1", 0, "unknown fact 'a.cuont'", "did you mean 'a.count'?"),
        ("a.count > 1 and a.nam == 'x'", 16, "unknown fact 'a.nam'", "did you mean 'a.name'?"),
        ("  a.cuont > 1", 2, "unknown fact 'a.cuont'", "a.count"),
        ("'ä' == a.nam", 7, "unknown fact 'a.nam'", "a.name"),
        ("a.flag == true", 10, "unknown fact 'true'", "with a capital"),
        ("a.count", 0, "int is not a condition", "compare it"),
        ("a.name and a.flag", 0, "str is not a condition", "compare it"),
        ("not a.paths", 4, "list is not a condition", "compare it"),
        ("True", 0, "a constant decides nothing", "name a fact"),
        ("a.flag or True", 10, "a constant decides nothing", "name a fact"),
        ("'a' == 'a'", 7, "compares two constants", "without quotes"),
        ("1 < 2", 4, "compares two constants", "without quotes"),
        ("a.name == 'a.text'", 10, "in quotes is text, not the fact", "remove the quotes"),
        ("a.count == 'x'", 11, "int and str cannot be compared", "type str"),
        ("a.flag == 1", 10, "bool and int cannot be compared", "are no numbers"),
        ("a.flag > a.other", 9, "bool and bool cannot be compared", "only integers have an order"),
        ("a.name < a.text", 9, "str and str cannot be compared", "only integers have an order"),
        ("a.count in a.paths", 11, "int and list cannot be compared", "text in a list"),
        ("a.name in [1, 2]", 10, "cannot be compared", "text in a list"),
        ("a.paths in a.text", 11, "cannot be compared", "text in a list"),
        ("a.name is 'x'", 10, "'is' compares objects", "== or !="),
        ("a.raw == 'x'", 0, "a.raw is declared json", "only bool, int, str and list"),
        ("a.name == ['x', 1]", 10, "only text, or only integers", "one by one"),
        ("a.name in [True]", 10, "only text, or only integers", "one by one"),
        ("a.name in []", 10, "List is not allowed", "use facts"),
        ("a.name in [a.text]", 11, "Attribute is not allowed", "use facts"),
        ("a.count + 1 > 2", 0, "arithmetic is not allowed", "use facts"),
        ("len(a.paths) > 2", 0, "a call is not allowed", "use facts"),
        ("a.paths[0] == 'x'", 0, "a subscript is not allowed", "use facts"),
        ("a.count > 1.5", 10, "this constant is not allowed", "use facts"),
        ("a.count > 99999999999999999999", 10, "this constant is not allowed", "use facts"),
        ("a.name == b'x'", 10, "this constant is not allowed", "use facts"),
        ("a.name == None", 10, "this constant is not allowed", "use facts"),
        ("a.count > -True", 10, "UnaryOp is not allowed", "use facts"),
        ("a.name == f'{a.text}'", 10, "JoinedStr is not allowed", "use facts"),
        ("a.flag if a.other else a.flag", 0, "IfExp is not allowed", "use facts"),
        ("(lambda: a.flag)", 1, "Lambda is not allowed", "use facts"),
        ("'x'.upper == a.name", 0, "only facts have dots", "state.fact"),
        ("a.__class__ == 'x'", 0, "unknown fact 'a.__class__'", ""),
        ("$a.flag", 0, "not an expression", "without $"),
        ("a.flag && a.other", 8, "not an expression", "write 'and'"),
        ("a.flag || a.other", 8, "not an expression", "write 'or'"),
        ("!a.flag", 0, "not an expression", "write 'not'"),
        ("a.count = 3", 0, "not an expression", "write =="),
        ("a.text contains 'x'", 0, "not an expression", "write 'error' in text"),
        ("(((", 2, "not an expression", "see the grammar"),
        ("", 0, "not an expression", ""),
        ("1in [1] and a.flag", 0, "not an expression", ""),
        ("a.name == '\\d'", 11, "is not allowed", "escapes are not needed"),
        ("a.flag\nor a.other", 6, "is not allowed", "one line"),
        ("a.flag # or a.other", 7, "is not allowed", "no comments"),
        ("a.flag and a.other\0", 0, "", ""),
        ("a.n\u212eme == 'x'", 0, "unknown fact", ""),
    ],
)
def test_what_is_no_condition_is_refused_with_a_caret(
    source: str, column: int, message: str, hint: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(source, DECLARED)
    fault = caught.value
    assert message in fault.message
    assert hint in fault.hint
    if message != "not an expression" and message:
        assert fault.column == column
    assert str(fault).splitlines()[-1].index("^") == 4 + fault.column


def test_a_name_that_only_looks_like_a_fact_is_refused() -> None:
    with pytest.raises(ConditionError) as caught:
        parse("a.\uff46lag", DECLARED)
    assert "unknown fact" in caught.value.message


@pytest.mark.parametrize(
    "source", ["(" * 400 + "a.flag" + ")" * 400, "not " * 240 + "a.flag", "a.flag and " * 5000]
)
def test_length_and_depth_are_bounded_before_anything_overflows(source: str) -> None:
    with pytest.raises(ConditionError):
        parse(source, DECLARED)


def test_up_to_the_bounds_everything_works() -> None:
    assert parse("not " * (MAX_DEPTH - MAX_DEPTH % 2) + "a.flag", DECLARED).evaluate(FACTS)
    long = " or ".join(["a.flag"] * 90)
    assert len(long) < MAX_LENGTH
    assert parse(long, DECLARED).evaluate(FACTS)


def test_a_fact_nobody_recorded_is_an_error_not_false() -> None:
    condition = parse("a.count != 3", DECLARED)
    with pytest.raises(MissingFact) as caught:
        condition.evaluate({})
    assert caught.value.name == "a.count"


def test_evaluation_stops_early_like_python() -> None:
    assert parse("a.flag or a.other", DECLARED).evaluate({"a.flag": True})
    assert not parse("a.flag and a.other", DECLARED).evaluate({"a.flag": False})
    assert not parse("1 < a.count < a.limit", DECLARED).evaluate({"a.count": 0})


class Evil(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a.count > 0", True),
        ("a.flag", 1),
        ("a.name == 'x'", Evil("x")),
        ("'x' in a.paths", ["x", 1]),
        ("a.count > 0", "1"),
    ],
)
def test_a_value_of_another_type_is_an_error_and_its_code_never_runs(source: str, value: object) -> None:
    condition = parse(source, DECLARED)
    with pytest.raises(FactUnusable) as caught:
        condition.evaluate(dict.fromkeys(condition.names, value))
    assert not isinstance(caught.value, MissingFact)
    assert "declared" in caught.value.message


def test_anything_has_the_type_json() -> None:
    assert has_type({"a": None}, FactType.JSON)
