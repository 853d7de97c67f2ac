"""Laws of comparing two runs."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.gates.delta import Finding, Outcome, compare_findings, compare_outcomes, worst

FINDINGS = st.lists(
    st.builds(
        Finding,
        path=st.sampled_from(["a.py", "b.py"]),
        line=st.integers(1, 3),
        column=st.integers(0, 2),
        code=st.sampled_from(["arg-type", "misc"]),
        message=st.sampled_from(["first", "defined on line 3", "defined on line 9"]),
        symbol=st.sampled_from(["", "f"]),
    ),
    max_size=8,
)
OUTCOMES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(Outcome)))


@pytest.mark.law
@given(FINDINGS, FINDINGS)
def test_new_and_remaining_are_now_and_fixed_and_remaining_were_there(
    base: list[Finding], now: list[Finding]
) -> None:
    delta = compare_findings(base, now)

    assert Counter([*delta.new, *delta.remaining]) == Counter(now)
    assert Counter(one.key for one in (*delta.fixed, *delta.remaining)) == Counter(one.key for one in base)
    assert not {one.key for one in delta.new} & {one.key for one in delta.fixed}


@pytest.mark.law
@given(FINDINGS)
def test_a_tree_against_itself_is_clean(findings: list[Finding]) -> None:
    delta = compare_findings(findings, list(reversed(findings)))

    assert (delta.new, delta.fixed, len(delta.remaining)) == ((), (), len(findings))


@pytest.mark.law
@given(FINDINGS, FINDINGS, st.randoms())
def test_order_means_nothing(base: list[Finding], now: list[Finding], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [list(base), list(now)]
    for one in shuffled:
        random.shuffle(one)

    assert compare_findings(*shuffled) == compare_findings(base, now)


@pytest.mark.law
@given(FINDINGS)
def test_a_moved_file_brings_its_errors_along(findings: list[Finding]) -> None:
    old = [one for one in findings if one.path == "a.py"]
    new = [
        Finding(path="c.py", line=1, column=0, code=one.code, message=one.message, symbol=one.symbol)
        for one in old
    ]

    delta = compare_findings(old, new, gone=frozenset({"a.py"}), added=frozenset({"c.py"}))

    assert (delta.new, delta.fixed, len(delta.remaining)) == ((), (), len(old))


def test_a_second_copy_of_an_error_is_new() -> None:
    error = Finding(path="a.py", line=1, column=0, code="misc", message="bad", symbol="f")

    delta = compare_findings([error], [error, error])

    assert (delta.new, delta.remaining) == ((error,), (error,))


def _untyped(message: str, symbol: str = "f") -> Finding:
    return Finding(path="a.py", line=1, column=0, code="no-untyped-def", message=message, symbol=symbol)


WHOLLY = "Function is missing a type annotation"
PARTLY = "Function is missing a type annotation for one or more parameters"


def test_a_function_annotated_in_part_has_its_old_error_not_a_new_one() -> None:
    delta = compare_findings([_untyped(WHOLLY)], [_untyped(PARTLY)])
    assert (delta.new, delta.remaining, delta.fixed) == ((), (_untyped(PARTLY),), ())


@pytest.mark.parametrize(
    ("base", "now"),
    [
        ([_untyped(PARTLY)], [_untyped(WHOLLY)]),
        ([_untyped(WHOLLY, "g")], [_untyped(PARTLY, "f")]),
        ([_untyped(WHOLLY)], [_untyped(PARTLY), _untyped(PARTLY)]),
        ([], [_untyped(PARTLY)]),
    ],
)
def test_losing_annotations_or_a_second_function_without_them_is_new(
    base: list[Finding], now: list[Finding]
) -> None:
    assert len(compare_findings(base, now).new) == 1


@pytest.mark.law
@given(OUTCOMES, OUTCOMES)
def test_every_red_test_is_new_or_remaining_and_no_test_is_two_things(
    base: dict[str, Outcome], now: dict[str, Outcome]
) -> None:
    delta = compare_outcomes(base, now)
    groups = (delta.new_failures, delta.newly_skipped, delta.vanished, delta.remaining, delta.fixed)

    assert {*delta.new_failures, *delta.remaining} == {test for test, one in now.items() if one.red}
    assert set(delta.vanished) == set(base) - set(now)
    assert sum(map(len, groups)) == len(set().union(*groups))


@pytest.mark.law
@given(OUTCOMES)
def test_tests_against_themselves_are_clean(outcomes: dict[str, Outcome]) -> None:
    delta = compare_outcomes(outcomes, outcomes)

    assert (delta.new_failures, delta.newly_skipped, delta.vanished, delta.fixed) == ((), (), (), ())


def test_a_red_test_that_is_now_skipped_is_not_fixed() -> None:
    delta = compare_outcomes({"a": Outcome.FAILED}, {"a": Outcome.SKIPPED})

    assert (delta.fixed, delta.newly_skipped) == ((), ("a",))


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.PASSED, Outcome.FAILED], Outcome.FAILED),
        ([Outcome.ERROR, Outcome.FAILED], Outcome.ERROR),
        ([Outcome.PASSED, Outcome.SKIPPED], Outcome.SKIPPED),
        ([Outcome.PASSED], Outcome.PASSED),
    ],
)
def test_the_worst_report_of_a_test_counts(outcomes: list[Outcome], expected: Outcome) -> None:
    assert worst(outcomes) is expected
