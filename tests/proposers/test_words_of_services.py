"""What services say, word for word: their stops, their errors, their waits. Pure, without a service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dev_agent.errors import EnvironmentFault
from dev_agent.proposers import anthropic_events, openai_events
from dev_agent.proposers.answers import Answer
from dev_agent.proposers.anthropic import AnthropicApi
from dev_agent.proposers.hearing import Heard
from dev_agent.proposers.keys import Secrets, system_keyring
from dev_agent.proposers.model import Trouble
from dev_agent.proposers.openai import OpenAIApi
from dev_agent.proposers.prices import read_prices
from dev_agent.proposers.troubles import Refusal, problem_of, readable, refusal_of, wait_of
from tests.testing.asks import KEY, question

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def heard_from_anthropic(*events: dict[str, Any]) -> Heard:
    heard = Heard(ask=question(), stops=AnthropicApi.stops, told=lambda _: None)
    for event in (
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3}}},
        *events,
    ):
        anthropic_events.take(event, heard)
    return heard


def heard_from_openai(*choices: dict[str, Any]) -> Heard:
    heard = Heard(ask=question(), stops=OpenAIApi.stops, told=lambda _: None)
    for choice in choices:
        openai_events.take({"choices": [choice]}, heard)
    return heard


def trouble(heard: Heard) -> Trouble | None:
    judged = heard.judged("host")
    assert judged.detail or (isinstance(judged, Answer) and judged.content)
    return judged.trouble


@pytest.mark.parametrize(
    ("stop", "found"),
    [
        ("model_context_window_exceeded", Trouble.TOO_LARGE),
        ("pause_turn", Trouble.CUT_OFF),
        ("a_new_word\x1b[2J", Trouble.CUT_OFF),
        (None, Trouble.CUT_OFF),
        (7, Trouble.CUT_OFF),
        ("end_turn", Trouble.EMPTY),
    ],
)
def test_only_a_known_word_for_the_end_is_an_end(stop: object, found: Trouble) -> None:
    heard = heard_from_anthropic({"type": "message_delta", "delta": {"stop_reason": stop}})
    assert trouble(heard) is found


def test_what_a_model_thinks_is_progress_and_no_answer() -> None:
    heard = heard_from_anthropic(
        {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}},
        {
            "type": "content_block_delta",
            "delta": {"type": "thinking_delta", "thinking": '{"for":"task-1"}' * 9},
        },
        {"type": "content_block_start", "content_block": {"type": "text", "text": '{"for":"task-1",'}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": '"steps":["a"]}'}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    )
    assert trouble(heard) is None
    assert heard.chars > 100
    assert heard.usage is not None
    assert (heard.usage.input, heard.usage.output) == (3, 9)


@pytest.mark.parametrize(
    "event",
    [{}, {"type": "message_start", "message": []}, {"type": "content_block_delta", "delta": 1}, {"type": 5}],
)
def test_an_event_of_no_known_form_changes_nothing(event: dict[str, Any]) -> None:
    heard = heard_from_anthropic(event)
    assert (heard.text, heard.stop) == ("", "")
    openai_events.take(event, heard)
    assert (heard.text, heard.stop) == ("", "")


def test_openais_own_refusal_is_one() -> None:
    heard = heard_from_openai(
        {"delta": {"refusal": "I will"}}, {"delta": {"refusal": " not."}, "finish_reason": "stop"}
    )
    assert trouble(heard) is Trouble.REFUSED
    assert "I will not." in heard.judged("host").detail


def test_arguments_that_are_an_object_are_read_and_a_second_call_does_not_rename_the_first() -> None:
    call = {"function": {"name": "plan", "arguments": {"for": "task-1", "steps": ["a"]}}}
    heard = heard_from_openai({"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"})
    assert trouble(heard) is None
    other = heard_from_openai(
        {"delta": {"tool_calls": [call, {"function": {"name": "x", "arguments": "{}"}}]}}
    )
    assert other.tool == "plan"


@pytest.mark.parametrize("count", [-1, True, "9", 1.5, 2**60, None])
def test_a_count_that_is_none_counts_as_nothing(count: object) -> None:
    heard = heard_from_anthropic({"type": "message_delta", "delta": {}, "usage": {"output_tokens": count}})
    assert heard.usage is not None
    assert heard.usage.output == 0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "250", "retry-after": "9"}, 250),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30_000),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "999999999"}, 3_600_000),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "٣"}, None),
        ({}, None),
    ],
)
def test_how_long_a_service_asks_to_wait(headers: dict[str, str], wait: int | None) -> None:
    assert wait_of(headers, NOW) == wait


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, Trouble.UNPAID),
        (404, {"error": {"code": "model_not_found", "message": "x"}}, Trouble.UNKNOWN_MODEL),
        (404, {"error": "model 'x' not found, try pulling it first"}, Trouble.UNKNOWN_MODEL),
        (404, {"detail": "Not Found"}, Trouble.NOT_AN_API),
        (
            400,
            {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
            Trouble.UNPAID,
        ),
        (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, Trouble.TOO_LARGE),
        (
            400,
            {"error": {"code": 400, "message": "request exceeds the available context size"}},
            Trouble.TOO_LARGE,
        ),
        (400, {"error": {"code": "content_filter", "message": "x"}}, Trouble.REFUSED),
        (407, "<html>", Trouble.UNREACHABLE),
        (429, "<html>slow down", Trouble.RATE_LIMITED),
        (418, {"error": {"message": "teapot"}}, Trouble.BAD_REQUEST),
        (503, {"error": {"message": "loading model"}}, Trouble.OVERLOADED),
        (599, None, Trouble.SERVER_ERROR),
        (200, {"error": {"type": "timeout_error"}}, Trouble.TIMED_OUT),
        (200, {"error": {"message": "what?"}}, Trouble.SERVER_ERROR),
        (
            401,
            {"error": {"type": "x", "details": {"error_code": "key_expired"}, "message": 5}},
            Trouble.UNAUTHORISED,
        ),
    ],
)
def test_what_an_error_means(status: int, body: object, found: Trouble) -> None:
    told = problem_of(refusal_of(status, body), "host")
    assert told.trouble is found, told
    assert told.hint


def test_a_services_message_is_made_fit_to_be_shown() -> None:
    said = problem_of(Refusal(status=400, message=f"\x1b[31mbad\r\n{KEY} " + "x y " * 500), "host").detail
    assert said.isprintable()
    assert KEY not in said
    assert len(said) < 400
    assert readable("a\u202eb\u0000c") == "a b c"


def test_the_systems_keyring_is_asked_last_and_a_locked_one_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keyring = pytest.importorskip("keyring")
    errors = pytest.importorskip("keyring.errors")
    asked: list[tuple[str, str]] = []

    def answer(service: str, user: str) -> str | None:
        asked.append((service, user))
        return "from-the-ring"

    monkeypatch.setattr(keyring, "get_password", answer)
    found = Secrets({}).key("openai")
    assert found is not None
    assert (found.reveal(), found.source) == ("from-the-ring", "the keyring entry dev-agent/openai")
    assert asked == [("dev-agent", "openai")]

    def refuse(error: Exception) -> None:
        def raising(service: str, user: str) -> str | None:
            raise error

        monkeypatch.setattr(keyring, "get_password", raising)

    refuse(errors.NoKeyringError("none here"))
    assert system_keyring("openai") is None
    refuse(errors.KeyringLocked("locked"))
    with pytest.raises(EnvironmentFault) as caught:
        system_keyring("openai")
    assert "OPENAI_API_KEY" in caught.value.hint


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"model": "", "input": "1", "output": "1"}, "prices[0].model: must be the name of a model"),
        ({"model": "m", "from": "2026-01-01", "input": "1", "output": "1"}, "prices[0].from: must be a day"),
        (
            {"model": "m", "above": -1, "input": "1", "output": "1"},
            "prices[0].above: must be a number of tokens",
        ),
        ({"model": "m", "long": 1, "input": "1", "output": "1"}, "prices[0].long: must be a table of rates"),
        (
            {"model": "m", "long": {"in": "1"}, "input": "1", "output": "1"},
            "prices[0].long.in: must be dollars",
        ),
    ],
)
def test_a_wrong_price_is_named_by_its_field(row: dict[str, Any], said: str) -> None:
    faults: list[str] = []
    assert read_prices([row], "prices", faults) == ()
    assert faults[0].startswith(said)
    assert read_prices({}, "prices", faults) == ()
    assert faults[-1].startswith("prices: must be a list of tables")
