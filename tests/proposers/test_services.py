"""Both clients, with their real packages, against a service on the loopback that behaves well or badly."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import anthropic
import jiter
import openai
import pytest

from dev_agent.cancel import Cancel
from dev_agent.proposers.anthropic import AnthropicApi
from dev_agent.proposers.keys import Secrets
from dev_agent.proposers.model import Trouble, Usage
from dev_agent.proposers.registry import open_model
from dev_agent.proposers.settings import ModelSettings
from dev_agent.runtime.host import NeverCancelled
from tests.testing.asks import GOOD, KEY, PLAN, asked, model_at, question, settings_for
from tests.testing.model_server import ModelServer, Step, serving

BOTH = pytest.mark.parametrize("service", ["anthropic", "openai"])
ANSWER: Step = {"do": "answer", "content": GOOD}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as running:
        yield running


@BOTH
def test_an_answer_of_the_form_is_content_with_its_cost_and_its_names(
    service: str, server: ModelServer
) -> None:
    server.add({**ANSWER, "usage": {"input": 7, "output": 5, "cache_read": 3, "cache_write": 2}})
    heard: list[int] = []
    reply = model_at(service, server.url).ask(question(), cancel=NeverCancelled(), told=heard.append)
    assert reply.trouble is None, reply.detail
    assert reply.content == {"for": "task-1", "steps": tuple(GOOD["steps"])}  # type: ignore[arg-type]
    assert reply.usage == Usage(input=7, output=5, cache_read=3, cache_write=2)
    assert (reply.model, reply.request_id) == ("served-1", "req_0001")
    assert reply.stop in ("end_turn", "stop")
    assert heard == sorted(heard)
    assert heard[-1] > 5


@BOTH
def test_the_request_is_streamed_with_the_form_and_without_its_bounds(
    service: str, server: ModelServer
) -> None:
    server.add(ANSWER)
    asked(model_at(service, server.url))
    (request,) = server.requests
    assert request.body["stream"] is True
    assert request.form == "plan"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    sent = json.dumps(request.body)
    assert "maxItems" not in sent
    assert "at most 4 items" in sent
    assert "temperature" not in sent


def test_the_stable_part_is_marked_for_the_cache_and_nothing_has_the_rank_of_the_system(
    server: ModelServer,
) -> None:
    server.add(ANSWER)
    asked(model_at("anthropic", server.url), question("stable", "changing"))
    (request,) = server.requests
    stable, changing = request.body["messages"][0]["content"]
    assert stable == {"type": "text", "text": "stable", "cache_control": {"type": "ephemeral"}}
    assert changing["text"].startswith("changing")
    assert "cache_control" not in changing
    assert "system" not in request.body


@BOTH
def test_a_stream_that_ends_early_is_no_answer_however_right_it_looks(
    service: str, server: ModelServer
) -> None:
    model = model_at(service, server.url)
    outcomes = []
    for keep in range(1, 8):
        # All of the content fits into the first events; what is missing is the word for stopping.
        server.add({"do": "cut", "text": '{"for":"task-1","steps":["a"]}', "keep": keep})
        outcomes.append((reply := asked(model)).trouble)
        assert (reply.trouble is None) == bool(reply.stop)
    ended = outcomes.index(None)
    assert set(outcomes[:ended]) == {Trouble.CUT_OFF}
    assert set(outcomes[ended:]) == {None}


@BOTH
def test_a_partial_answer_that_the_client_would_complete_to_the_right_form_is_cut_off(
    service: str, server: ModelServer
) -> None:
    content = {"for": "task-1", "steps": ["read", "edit", "test"]}
    events = 3 if service == "openai" else 5
    server.add({"do": "cut", "content": content, "tool": "plan", "keep": events, "times": 2})
    # What the packages themselves make of it: a partial object that looks like an answer, and no error.
    partial = _by_the_package(service, server.url)
    assert partial["for"] == "task-1"
    assert partial != content
    reply = asked(model_at(service, server.url))
    assert (reply.trouble, reply.content, reply.stop) == (Trouble.CUT_OFF, None, "")


def _by_the_package(service: str, url: str) -> Mapping[str, Any]:
    if service == "anthropic":
        with (
            anthropic.Anthropic(api_key=KEY, base_url=url) as client,
            client.messages.stream(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
            ) as stream,
        ):
            message = stream.get_final_message()
            assert message.stop_reason is None
            (block,) = message.content
            assert block.type == "tool_use"
            return dict(block.input)
    with (
        openai.OpenAI(api_key=KEY, base_url=f"{url}/v1") as there,
        there.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "x"}], stream=True
        ) as chunks,
    ):
        choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
        assert choices[-1].finish_reason is None
        calls = [call for choice in choices for call in choice.delta.tool_calls or ()]
        text = "".join(call.function.arguments or "" for call in calls if call.function)
        return dict(jiter.from_json(text.encode(), partial_mode=True))


@BOTH
@pytest.mark.parametrize(
    ("step", "trouble"),
    [
        pytest.param(
            {"do": "answer", "text": '{"for": "tas', "stop": "length"}, Trouble.TRUNCATED, id="truncated"
        ),
        pytest.param({**ANSWER, "stop": "length"}, Trouble.TRUNCATED, id="truncated but right"),
        pytest.param({**ANSWER, "stop": "refusal"}, Trouble.REFUSED, id="refusal"),
        pytest.param({"do": "answer", "text": ""}, Trouble.EMPTY, id="empty"),
        pytest.param({"do": "answer", "text": "I would start with a.py."}, Trouble.NOT_JSON, id="prose"),
        pytest.param({"do": "answer", "text": '{"for": "task-1",'}, Trouble.NOT_JSON, id="broken JSON"),
        pytest.param({"do": "answer", "content": {"for": "task-1"}}, Trouble.WRONG_FORM, id="wrong form"),
        pytest.param(
            {"do": "answer", "content": {**GOOD, "for": "task-2"}}, Trouble.WRONG_ANSWER, id="other task"
        ),
        pytest.param({**ANSWER, "tool": "bash"}, Trouble.WRONG_ANSWER, id="a tool nobody offered"),
        pytest.param({"do": "html"}, Trouble.NOT_AN_API, id="a page"),
        pytest.param({"do": "html", "status": 403}, Trouble.NOT_AN_API, id="a page that forbids"),
        pytest.param({"do": "html", "status": 502}, Trouble.SERVER_ERROR, id="a gateway's page"),
        pytest.param({"do": "garbage"}, Trouble.NOT_AN_API, id="a stream of garbage"),
        pytest.param(
            {"do": "fail", "status": 401, "kind": "authentication_error"}, Trouble.UNAUTHORISED, id="401"
        ),
        pytest.param({"do": "fail", "status": 402, "kind": "billing_error"}, Trouble.UNPAID, id="402"),
        pytest.param({"do": "fail", "status": 403, "kind": "permission_error"}, Trouble.FORBIDDEN, id="403"),
        pytest.param(
            {"do": "fail", "status": 404, "message": "model: served-1"},
            Trouble.UNKNOWN_MODEL,
            id="unknown model",
        ),
        pytest.param(
            {"do": "fail", "status": 404, "message": "nothing here"}, Trouble.NOT_AN_API, id="wrong path"
        ),
        pytest.param({"do": "fail", "status": 413, "kind": "request_too_large"}, Trouble.TOO_LARGE, id="413"),
        pytest.param(
            {"do": "fail", "status": 400, "message": "prompt is too long: 9 tokens > 8"},
            Trouble.TOO_LARGE,
            id="too long",
        ),
        pytest.param(
            {"do": "fail", "status": 429, "kind": "rate_limit_error"}, Trouble.RATE_LIMITED, id="429"
        ),
        pytest.param({"do": "fail", "status": 500, "kind": "api_error"}, Trouble.SERVER_ERROR, id="500"),
        pytest.param({"do": "fail", "status": 529, "kind": "overloaded_error"}, Trouble.OVERLOADED, id="529"),
        pytest.param(
            {"do": "fail", "status": 307, "message": "elsewhere"}, Trouble.NOT_AN_API, id="redirect"
        ),
        pytest.param(
            {"do": "break", "kind": "overloaded_error"}, Trouble.OVERLOADED, id="overloaded while answering"
        ),
        pytest.param(
            {"do": "break", "kind": "rate_limit_error"}, Trouble.RATE_LIMITED, id="limited while answering"
        ),
        pytest.param({"do": "cut", "content": GOOD, "rude": True}, Trouble.CUT_OFF, id="connection broken"),
    ],
)
def test_everything_that_goes_wrong_has_a_name(
    service: str, step: Step, trouble: Trouble, server: ModelServer
) -> None:
    server.add(step)
    reply = asked(model_at(service, server.url))
    assert reply.trouble is trouble, reply.detail
    assert reply.content is None
    assert reply.detail
    assert reply.hint or trouble.answerable
    # Nothing is tried again behind the program's back.
    assert len(server.asked) == 1


@BOTH
def test_a_service_says_how_long_to_wait(service: str, server: ModelServer) -> None:
    server.add({"do": "fail", "status": 429, "kind": "rate_limit_error", "retry_after": 7})
    reply = asked(model_at(service, server.url))
    assert (reply.retry_after_ms, reply.request_id) == (7000, "req_0001")


@BOTH
def test_a_redirect_does_not_carry_the_question_elsewhere(service: str, server: ModelServer) -> None:
    with serving([ANSWER]) as elsewhere:
        path = "/v1/messages" if service == "anthropic" else "/v1/chat/completions"
        server.add({"do": "fail", "status": 307, "message": "moved", "location": f"{elsewhere.url}{path}"})
        reply = asked(model_at(service, server.url))
        assert reply.trouble is Trouble.NOT_AN_API
        assert elsewhere.requests == []


@BOTH
def test_a_server_that_does_not_stream_is_understood(service: str, server: ModelServer) -> None:
    server.add({**ANSWER, "whole": True})
    reply = asked(model_at(service, server.url))
    assert reply.trouble is None, reply.detail
    assert reply.usage == Usage(input=100, output=20)


@BOTH
def test_a_server_that_knows_no_forms_is_asked_in_words(service: str, server: ModelServer) -> None:
    parameter = "output_config" if service == "anthropic" else "response_format"
    fenced = f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nGood luck!"
    server.add({"do": "answer", "text": fenced, "unless": parameter, "times": 2})
    model = model_at(service, server.url)
    assert asked(model).trouble is None
    assert asked(model).trouble is None
    with_form, without, again = server.asked
    assert parameter in with_form.body
    assert parameter not in without.body
    assert parameter not in again.body
    assert "JSON schema" in without.prompt


@BOTH
def test_a_server_that_ignores_forms_was_told_the_form_in_words(service: str, server: ModelServer) -> None:
    server.add({"do": "answer", "text": f"<think>{{}} or what?</think>{json.dumps(GOOD)}"})
    assert asked(model_at(service, server.url)).trouble is None
    assert "additionalProperties" in server.requests[0].prompt


@BOTH
def test_a_refusal_that_has_another_reason_stays_what_it_was(service: str, server: ModelServer) -> None:
    server.add({"do": "fail", "status": 400, "message": "messages: bad", "times": 2}, ANSWER)
    model = model_at(service, server.url)
    assert asked(model).trouble is Trouble.BAD_REQUEST
    assert asked(model).trouble is None
    assert server.asked[-1].form == "plan"


@BOTH
def test_a_service_that_hangs_is_left_at_the_deadline(service: str, server: ModelServer) -> None:
    model = model_at(service, server.url)
    for step in ({"do": "hang"}, {"do": "stall", "content": GOOD}):
        # Longer and longer: on a slow machine it may not have come to the service yet when it is left.
        for timeout_ms in (300, 3_000, 30_000):
            before = len(server.requests)
            server.steps[:] = [step]
            reply = asked(model, question(timeout_ms=timeout_ms))
            assert reply.trouble is Trouble.TIMED_OUT, reply.detail
            assert f"within {timeout_ms / 1000:g} seconds" in reply.detail
            if len(server.requests) > before:
                break
        assert server.hung_up.wait(300)
        server.hung_up.clear()


@BOTH
def test_a_service_that_drips_is_left_at_the_deadline_too(service: str, server: ModelServer) -> None:
    server.add({"do": "answer", "content": GOOD, "slow_ms": 100})
    assert asked(model_at(service, server.url), question(timeout_ms=250)).trouble is Trouble.TIMED_OUT


@BOTH
@pytest.mark.parametrize("step", [{"do": "hang"}, {"do": "stall", "content": GOOD}], ids=["before", "within"])
def test_a_request_to_stop_closes_the_connection_at_once(
    service: str, step: Step, server: ModelServer
) -> None:
    server.add(step)
    cancel = Cancel()
    model = model_at(service, server.url)

    def stop_once_asked() -> None:
        while not server.requests:
            time.sleep(0.01)
        cancel.request()

    helper = threading.Thread(target=stop_once_asked)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        asked(model, question(timeout_ms=60_000), cancel=cancel)
    helper.join()
    assert server.hung_up.wait(300)


@BOTH
def test_a_run_that_was_stopped_before_sends_nothing(service: str, server: ModelServer) -> None:
    cancel = Cancel()
    cancel.request()
    with pytest.raises(KeyboardInterrupt):
        asked(model_at(service, server.url), cancel=cancel)
    assert server.requests == []


@BOTH
def test_nobody_at_the_address_is_unreachable(service: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        reply = asked(model_at(service, f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert reply.trouble is Trouble.UNREACHABLE
    assert "127.0.0.1" in reply.detail


@BOTH
@pytest.mark.parametrize("key", [KEY, "of-no-known-form-1"])
def test_a_key_that_the_service_quotes_is_not_shown(service: str, key: str, server: ModelServer) -> None:
    server.add({"do": "fail", "status": 401, "kind": "authentication_error", "message": f"wrong: {key}!"})
    environ = {"ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key}
    model = open_model(settings_for(service, server.url), secrets=Secrets(environ, lambda _: None))
    reply = asked(model)
    assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert reply.trouble is Trouble.UNAUTHORISED
    for shown in (repr(reply), repr(model), str(model.describe()), repr(vars(model))):
        assert key not in shown


def test_too_large_a_question_is_refused_here_by_the_services_count(server: ModelServer) -> None:
    server.tokens = lambda _: 9_600
    reply = asked(model_at("anthropic", server.url, window=10_000), question(changing="wide " * 4000))
    assert reply.trouble is Trouble.TOO_LARGE
    assert "9600 tokens" in reply.detail
    assert server.asked == []


def test_a_question_that_may_fit_is_sent(server: ModelServer) -> None:
    server.tokens = lambda _: 9_400
    server.add(ANSWER)
    model = model_at("anthropic", server.url, window=10_000)
    assert asked(model, question(changing="wide " * 4000)).trouble is None
    assert model.count(question()) == 9_400


def test_a_service_without_a_count_decides_itself_unless_nothing_could_fit(server: ModelServer) -> None:
    server.tokens = lambda _: None
    server.add(ANSWER, ANSWER)
    wide = question(changing="wide " * 4000)
    assert model_at("anthropic", server.url).count(wide) is None
    assert asked(model_at("anthropic", server.url, window=10_000), wide).trouble is None
    assert asked(model_at("openai", server.url, window=10_000), wide).trouble is None
    wider = question(changing="wide " * 40_000)
    assert asked(model_at("openai", server.url, window=10_000), wider).trouble is Trouble.TOO_LARGE
    assert len(server.asked) == 2


@BOTH
def test_text_that_is_no_utf8_can_be_sent(service: str, server: ModelServer) -> None:
    server.add(ANSWER)
    assert asked(model_at(service, server.url), question(changing="caf\udce9")).trouble is None
    assert "caf?" in server.requests[0].prompt


@BOTH
def test_effort_and_thinking_go_out_where_they_are_set(service: str, server: ModelServer) -> None:
    server.add(ANSWER, ANSWER)
    asked(model_at(service, server.url, effort="high", thinking="on"))
    asked(model_at(service, server.url))
    with_effort, without = server.requests
    if service == "anthropic":
        assert with_effort.body["output_config"]["effort"] == "high"
        assert with_effort.body["thinking"] == {"type": "adaptive"}
        assert "effort" not in without.body["output_config"]
        assert "thinking" not in without.body
    else:
        assert with_effort.body["reasoning_effort"] == "high"
        assert "reasoning_effort" not in without.body


def test_an_endless_answer_does_not_fill_the_memory(server: ModelServer) -> None:
    # It says no more after that, and would be waited for until the deadline if anybody still listened.
    server.add({"do": "stall", "text": "x" * 100_000, "keep": 2000})
    reply = asked(model_at("openai", server.url), question(max_output=10, timeout_ms=60_000))
    assert reply.trouble is Trouble.TRUNCATED
    assert len(reply.text) < 60_000
    assert server.hung_up.wait(300)


@BOTH
def test_the_question_has_one_name_whoever_is_asked(service: str, server: ModelServer) -> None:
    server.add(ANSWER)
    ask = question(timeout_ms=5000)
    asked(model_at(service, server.url), ask)
    assert ask.digest == question(timeout_ms=None).digest
    assert ask.digest != question(sample=1).digest
    assert ask.digest != question(changing="The other task.").digest
    assert PLAN.name == "plan"


@BOTH
def test_a_service_can_be_looked_at_without_a_question(service: str, server: ModelServer) -> None:
    server.lifecycle = "deprecated"
    known = model_at(service, server.url).look(NeverCancelled())
    assert isinstance(known, str)
    assert ("deprecated" in known) == (service == "anthropic")
    for url, model, trouble in (
        (server.url, "other", Trouble.UNKNOWN_MODEL),
        (f"{server.url}/nothing", "served-1", Trouble.NOT_AN_API),
        ("http://127.0.0.1:1", "served-1", Trouble.UNREACHABLE),
    ):
        refused = model_at(service, url, model=model).look(NeverCancelled())
        assert not isinstance(refused, str)
        assert refused.trouble is trouble, refused.detail
    assert server.asked == []


@BOTH
def test_no_proxy_is_told_in_the_clear_what_is_to_stay_on_this_machine(
    service: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(ANSWER)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for variable in ("HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert asked(model_at(service, server.url)).trouble is None


def test_the_clients_own_variables_for_proxies_count(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(ANSWER)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    settings = ModelSettings(
        proposer="openai",
        model="served-1",
        base_url="http://model.invalid/v1",
        plain_http="model.invalid",
    )
    model = open_model(settings, secrets=Secrets({}, lambda _: None))
    assert asked(model).trouble is None
    assert server.requests[0].headers["host"] == "model.invalid"
    # A proxy that is none, and one that does not answer, are troubles with a name.
    for proxy in ("nonsense://x", "http://127.0.0.1:1"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        reply = asked(model)
        assert reply.trouble is Trouble.UNREACHABLE
        assert reply.hint


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (
            {"proposer": "anthropic-bedrock", "region": "eu-central-1"},
            "bedrock-runtime.eu-central-1.amazonaws.com",
        ),
        (
            {"proposer": "anthropic-vertex", "region": "eu", "project": "p"},
            "aiplatform.eu.rep.googleapis.com",
        ),
    ],
)
def test_a_platform_is_the_same_api_at_another_host(settings: Mapping[str, Any], host: str) -> None:
    api = AnthropicApi(ModelSettings(model="m", **settings), None)
    assert api.client().base_url.host == host
    assert api.request(question(), plain=False)["output_config"]["format"]["type"] == "json_schema"
