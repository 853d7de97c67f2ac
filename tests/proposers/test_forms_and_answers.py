"""What passes as an answer, and what is said of what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.proposers.answers import read_answer
from dev_agent.proposers.forms import faults_of, is_strict, sent_schema
from dev_agent.proposers.model import Form, Reply, Trouble
from tests.testing.asks import GOOD, PLAN


def form(schema: dict[str, Any]) -> Form:
    return Form(name="form", description="", schema=schema)


@pytest.mark.parametrize(
    ("schema", "right", "wrong", "said"),
    [
        ({"type": "string"}, "a", 1, "the answer: must be string, not integer"),
        ({"type": "integer"}, 1, True, "the answer: must be integer, not boolean"),
        ({"type": "integer"}, 1, 1.0, "the answer: must be integer, not number"),
        ({"type": ["string", "null"]}, None, [], "the answer: must be string or null, not array"),
        ({"enum": ["low", 1]}, 1, True, "the answer: must be one of 'low', 1, not True"),
        ({"const": "x"}, "x", "y", "the answer: must be 'x', not 'y'"),
        ({"type": "array", "maxItems": 1}, [1], [1, 2], "the answer: must be at most 1 items, not 2"),
        ({"type": "string", "minLength": 2}, "ab", "a", "the answer: must be at least 2 characters, not 1"),
        ({"type": "integer", "maximum": 9}, 9, 10, "the answer: must be at most 9, not 10"),
        ({"type": "array", "items": {"type": "null"}}, [None], [None, 0], "[1]: must be null, not integer"),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"a": ""},
            {},
            "a: is missing",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {},
            {"a": "", "b\n": 1},
            "the answer: has no place for 'b\\n'",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "boolean"}}}},
            {"a": [True]},
            {"a": [True, 1]},
            "a[1]: must be boolean, not integer",
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            ["x"],
            [1],
            "the answer: must be string, not array",
        ),
    ],
)
def test_each_rule_of_a_form_is_kept(schema: dict[str, Any], right: object, wrong: object, said: str) -> None:
    assert faults_of(right, form(schema)) == ()
    assert [str(fault) for fault in faults_of(wrong, form(schema))] == [said]


@pytest.mark.parametrize(
    "schema", [{"type": "string", "pattern": "a"}, {"type": "number"}, {"additionalProperties": True}]
)
def test_a_rule_that_nobody_checks_is_our_bug(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="BUG"):
        faults_of("x", form(schema))


def test_what_is_sent_closes_every_object_and_says_bounds_in_words() -> None:
    sent = sent_schema(PLAN)
    assert sent["title"] == "plan"
    assert sent["additionalProperties"] is False
    assert sent["properties"]["steps"] == {
        "type": "array",
        "items": {"type": "string"},
        "description": "at least 1 items, at most 4 items",
    }


def test_strict_means_that_everything_is_required_everywhere() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert is_strict(PLAN.schema)
    assert not is_strict({"type": "array", "items": inner})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=1)}\n```",
        f"I thought about {{this}} and {{}}.\n{json.dumps(GOOD)} Done.",
        f'<think>{{"for": "task-1", "steps": ["draft"]}}</think>\n{json.dumps(GOOD)}',
        f"{json.dumps(GOOD)}\n{'<think> ' * 100_000}",
        f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}",
    ],
    ids=["bare", "fenced", "in prose", "after thinking", "before thoughts without an end", "said twice"],
)
def test_the_answer_is_found_where_a_model_put_it(text: str) -> None:
    assert read_answer(text, PLAN).content == {"for": "task-1", "steps": tuple(GOOD["steps"])}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("", Trouble.EMPTY),
        ("<think>hm</think>", Trouble.EMPTY),
        ("no", Trouble.NOT_JSON),
        ("[]", Trouble.NOT_JSON),
        ("{" * 100_000, Trouble.NOT_JSON),
        ('{"a":' * 100_000, Trouble.NOT_JSON),
        ('{"for": "task-1", "for": "task-2", "steps": ["a"]}', Trouble.NOT_JSON),
        ('{"for": "task-1", "steps": [NaN]}', Trouble.NOT_JSON),
        ('{"for": "task-1", "steps": ["\\ud800"]}', Trouble.WRONG_FORM),
        ('{"for": "task-1", "steps": []}', Trouble.WRONG_FORM),
        ('{"for": "task-9", "steps": ["a"]}', Trouble.WRONG_ANSWER),
        ('{"for": "task-1", "steps": ["a"]} or {"for": "task-1", "steps": ["b"]}', Trouble.WRONG_FORM),
        ('{"for": "task-1", "steps": [' + "9" * 5000 + "]}", Trouble.NOT_JSON),
    ],
)
def test_what_is_no_answer_has_a_name(text: str, trouble: Trouble) -> None:
    answer = read_answer(text, PLAN)
    assert (answer.trouble, answer.content) == (trouble, None)
    assert answer.detail


@pytest.mark.law
@given(st.text())
def test_law_any_text_is_an_answer_of_the_form_or_has_a_name(text: str) -> None:
    answer = read_answer(text, PLAN)
    assert (answer.content is None) != (answer.trouble is None)


def test_a_reply_has_content_or_a_trouble_and_never_both() -> None:
    with pytest.raises(ValueError, match="BUG"):
        Reply(model="m")
    with pytest.raises(ValueError, match="BUG"):
        Reply(model="m", content={}, trouble=Trouble.EMPTY)
