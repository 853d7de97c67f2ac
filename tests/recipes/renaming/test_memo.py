"""Answers are found once, circles end, and nothing is remembered that a circle made less than it is."""

from __future__ import annotations

from dev_agent.recipes.renaming.memo import Memo
from dev_agent.recipes.renaming.values import UNKNOWN, Foreign, Values, united

SURE: Values = (Foreign("builtins.int"),)


class Question:
    """Something to ask about; told apart by identity."""


def test_a_question_is_answered_once() -> None:
    memo, asked, thing = Memo(), [0], Question()

    def count() -> Values:
        asked[0] += 1
        return SURE

    assert [memo.once(thing, "x", count) for _ in range(3)] == [SURE] * 3
    assert asked == [1]


def test_two_questions_about_one_thing_are_not_mixed_up() -> None:
    memo, thing = Memo(), Question()
    assert memo.once(thing, "x", lambda: SURE) == SURE
    assert memo.once(thing, ("x",), lambda: UNKNOWN) == UNKNOWN


def test_a_question_that_leads_back_to_itself_ends_as_its_asker_says() -> None:
    memo, thing = Memo(), Question()
    assert memo.once(thing, "x", lambda: memo.once(thing, "x", lambda: SURE, ())) == ()


def test_what_a_circle_left_unknown_is_asked_again_once_the_circle_is_over() -> None:
    memo, first, second = Memo(), Question(), Question()

    def of_second() -> Values:
        return memo.once(first, "x", of_first)

    def of_first() -> Values:
        return united([SURE, memo.once(second, "y", of_second)])

    assert memo.once(first, "x", of_first) == SURE + UNKNOWN
    # Asked inside the first question, the second was unknown; by itself it is what the first one came to.
    assert memo.once(second, "y", of_second) == SURE + UNKNOWN


def test_a_chain_of_questions_deeper_than_the_limit_is_unknown_and_does_not_end_the_process() -> None:
    memo, things = Memo(), [Question() for _ in range(5000)]

    def of(index: int) -> Values:
        return memo.once(things[index], "x", lambda: of(index + 1)) if index < len(things) else SURE

    assert of(0) == UNKNOWN
