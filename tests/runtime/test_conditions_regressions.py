"""Silent wrong answers of other condition engines, each one an error or the right answer here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime.conditions import parse
from dev_agent.runtime.errors import ConditionError, FactUnusable, MissingFact
from dev_agent.runtime.states import FactType

DECLARED = {
    "approved": FactType.BOOL,
    "scanned": FactType.BOOL,
    "result": FactType.STR,
    "files": FactType.INT,
    "names": FactType.LIST,
}


def _refused(source: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        parse(source, DECLARED)
    assert str(caught.value).splitlines()[-1].strip() == "^"
    return caught.value


def test_an_unknown_character_is_not_dropped() -> None:
    """`!$approved` read as `approved` would be true where it says false."""
    assert "not" in _refused("!approved").hint
    for source in ("approved ?", "approved; scanned", "approved @ scanned", "approved ` scanned"):
        _refused(source)


def test_parentheses_are_not_dropped() -> None:
    condition = parse("approved and (scanned or files > 3)", DECLARED)
    assert not condition.evaluate({"approved": False, "scanned": False, "files": 9})


def test_and_binds_tighter_than_or() -> None:
    """Left to right, `a or b and c` would be `(a or b) and c`."""
    condition = parse("approved or scanned and files > 3", DECLARED)
    assert condition.evaluate({"approved": True, "scanned": False, "files": 0})


def test_not_binds_to_its_comparison() -> None:
    assert parse("not files > 3 and approved", DECLARED).evaluate({"files": 1, "approved": True})


def test_a_scan_that_never_ran_does_not_pass_a_not_equal() -> None:
    """A missing variable that is None makes `result != 'MALWARE'` ship what was never scanned."""
    with pytest.raises(MissingFact) as caught:
        parse("result != 'MALWARE'", DECLARED).evaluate({})
    assert caught.value.name == "result"


def test_a_fact_recorded_as_none_is_not_a_value() -> None:
    with pytest.raises(FactUnusable):
        parse("result != 'MALWARE'", DECLARED).evaluate({"result": None})


def test_in_does_not_fall_back_to_a_search_in_text() -> None:
    """`'a' in names` with a text for the list would be true of 'banana'."""
    with pytest.raises(FactUnusable):
        parse("'a' in names", DECLARED).evaluate({"names": "banana"})


def test_a_quoted_fact_is_not_a_constant() -> None:
    assert "remove the quotes" in _refused("'result' == 'MALWARE'").hint


def test_contains_and_dollar_have_their_remedies() -> None:
    assert "in text" in _refused("result contains 'x'").hint
    assert "without $" in _refused("$approved").hint


def test_a_number_is_not_true_and_true_is_no_number() -> None:
    assert "compare" in _refused("files and approved").hint
    assert "no numbers" in _refused("approved == 1").hint
    with pytest.raises(FactUnusable):
        parse("files > 0", DECLARED).evaluate({"files": True})
    with pytest.raises(FactUnusable):
        parse("approved", DECLARED).evaluate({"approved": 1})


def test_none_and_decimals_are_no_operands() -> None:
    for source in ("result == None", "files > 1.5", "files > 1e3", "files == 1j"):
        _refused(source)


@pytest.mark.parametrize(
    "source", ["(" * 5000 + "approved", "not " * 5000 + "approved", "[" * 990, "-" * 990]
)
def test_deep_input_is_refused_and_exhausts_nothing(source: str) -> None:
    _refused(source)


class _Loud:
    """An object whose comparisons would run."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: object) -> bool:
        raise AssertionError("foreign code ran")

    def __contains__(self, item: object) -> bool:
        raise AssertionError("foreign code ran")

    def __bool__(self) -> bool:
        raise AssertionError("foreign code ran")


@pytest.mark.parametrize("source", ["result == 'x'", "files < 3", "'x' in names", "approved", "not approved"])
def test_no_object_of_others_runs_code_while_a_condition_is_evaluated(source: str) -> None:
    condition = parse(source, DECLARED)
    with pytest.raises(FactUnusable):
        condition.evaluate(dict.fromkeys(condition.names, _Loud()))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
CONDITION = parse("approved and files > 3 or result in ['a', 'b'] and 'x' in names or not scanned", DECLARED)


@pytest.mark.law
@given(facts=st.dictionaries(st.sampled_from(sorted(DECLARED)), ANYTHING))
def test_law_evaluation_is_total_and_deterministic(facts: dict[str, Any]) -> None:
    """Whatever the facts: a bool or FactUnusable, and the same again."""

    def outcome() -> bool | str:
        try:
            return CONDITION.evaluate(facts)
        except FactUnusable as fault:
            return fault.message

    first = outcome()
    assert type(first) in (bool, str)
    assert outcome() == first


@pytest.mark.law
@given(source=st.text(st.sampled_from("ab('\"[]) <>=!,.0 \\notinrdfiles$#\n\0é\ud800"), max_size=40))
def test_law_parsing_is_total(source: str) -> None:
    """Whatever the text: a condition or ConditionError with a place in the text."""
    outcome: object = None
    try:
        outcome = parse(source, DECLARED)
    except ConditionError as error:
        outcome = error
    assert not isinstance(outcome, ConditionError) or 0 <= outcome.column <= len(outcome.source)


def test_the_literals_a_condition_compares_with_are_told() -> None:
    condition = parse("files > 3 and files < -2 or result in ['a', 'b'] and result != 'c'", DECLARED)
    assert condition.literals == (3, -2, "a", "b", "c")
