"""Answers on the disk: in a run that may be killed, and on a cassette."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.proposers.cassette import PlayingModel, RecordingModel
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Reply, Trouble, Usage
from dev_agent.proposers.records import reply_from_json, reply_to_json
from dev_agent.proposers.remembering import RememberingModel
from dev_agent.runtime.canonical import canonical, read_json
from tests.testing.asks import GOOD, KEY, asked, model_at, question
from tests.testing.children import in_child
from tests.testing.model_server import ModelServer, Step, serving

ANSWER: Step = {"do": "answer", "content": GOOD}
WRONG: Step = {"do": "answer", "content": {"for": "task-1"}}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as running:
        yield running


def test_a_reply_is_the_same_after_it_was_kept() -> None:
    full = Reply(
        content={"a": (1, None, "ä")},
        text="t",
        usage=Usage(input=1),
        model="m",
        stop="s",
        request_id="r",
        ms=5,
    )
    poor = Reply(trouble=Trouble.CUT_OFF, detail="d", hint="h", model="m", retry_after_ms=3)
    for reply in (full, poor):
        kept = reply_from_json(read_json(canonical(reply_to_json(reply))))
        assert kept == reply
    spoilt: tuple[object, ...] = (
        None,
        [],
        {},
        {**reply_to_json(full), "ms": "5"},
        {**reply_to_json(full), "trouble": "sad"},
    )
    for damaged in spoilt:
        with pytest.raises(ValueError, match=r"not a reply|is not a valid Trouble|BUG"):
            reply_from_json(damaged)


def test_a_run_killed_after_the_answer_came_does_not_pay_again(server: ModelServer, tmp_path: Path) -> None:
    server.add({**ANSWER, "times": 0})
    folder = tmp_path / "answers"
    model = RememberingModel(model_at("openai", server.url), folder)

    def answered_then_killed() -> None:
        asked(model)
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WIFSIGNALED(in_child(answered_then_killed))
    assert len(server.asked) == 1
    reply = asked(model)
    assert reply.trouble is None
    assert reply.request_id == "req_0001"
    assert len(server.asked) == 1
    assert model.remembered() == (question().digest,)


def test_what_was_recorded_is_forgotten_and_asked_anew(server: ModelServer, tmp_path: Path) -> None:
    server.add({**ANSWER, "times": 0})
    model = RememberingModel(model_at("openai", server.url), tmp_path / "answers")
    asked(model)
    asked(model, question(sample=1))
    model.forget([question().digest])
    asked(model)
    asked(model, question(sample=1))
    assert len(server.asked) == 3
    model.forget()
    assert model.remembered() == ()
    model.forget()


def test_an_answer_that_was_wrong_is_kept_because_it_was_paid(server: ModelServer, tmp_path: Path) -> None:
    server.add(WRONG, ANSWER)
    model = RememberingModel(model_at("openai", server.url), tmp_path / "answers")
    assert [asked(model).trouble for _ in range(2)] == [Trouble.WRONG_FORM, Trouble.WRONG_FORM]


def test_a_busy_service_is_not_remembered(server: ModelServer, tmp_path: Path) -> None:
    server.add({"do": "fail", "status": 429, "kind": "rate_limit_error"}, ANSWER)
    model = RememberingModel(model_at("openai", server.url), tmp_path / "answers")
    assert [asked(model).trouble for _ in range(2)] == [Trouble.RATE_LIMITED, None]


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"reply":{}}', b"\xff"])
def test_a_damaged_file_is_as_none(server: ModelServer, tmp_path: Path, damage: bytes) -> None:
    server.add({**ANSWER, "times": 0})
    model = RememberingModel(model_at("openai", server.url), tmp_path)
    (tmp_path / f"{question().digest}.json").write_bytes(damage)
    assert asked(model).trouble is None
    assert len(server.asked) == 1
    assert (tmp_path / f"{question().digest}.json").stat().st_mode & 0o077 == 0


def test_a_cassette_answers_as_the_service_did_and_without_it(server: ModelServer, tmp_path: Path) -> None:
    server.add(WRONG, ANSWER, {**ANSWER, "content": {**GOOD, "steps": ["other"]}})
    path = tmp_path / "run.cassette"
    recording = RecordingModel(model_at("anthropic", server.url), path)
    made = [asked(recording), asked(recording), asked(recording, question(sample=1))]
    playing = PlayingModel(path)
    assert [asked(playing), asked(playing), asked(playing, question(sample=1))] == made
    assert (playing.name, playing.model) == ("recorded", "served-1")
    assert path.stat().st_mode & 0o077 == 0
    assert len(server.asked) == 3
    # Nobody guesses, neither at a question asked too often nor at a new one.
    for ask in (question(), question(changing="Something else.")):
        reply = asked(playing, ask)
        assert reply.trouble is Trouble.BAD_REQUEST
        assert not reply.trouble.passing
        assert reply.hint


def test_no_secret_is_on_a_cassette_and_no_question(server: ModelServer, tmp_path: Path) -> None:
    token = "ghp_" + "a1B2" * 9
    server.add({"do": "answer", "content": {**GOOD, "steps": [f"use {token}", f"and {KEY}"]}})
    path = tmp_path / "run.cassette"
    model = RecordingModel(model_at("anthropic", server.url), path, Secret(KEY, "X"))
    asked(model, question(changing="THE QUESTION"))
    text = path.read_text()
    for hidden in (token, KEY, "THE QUESTION"):
        assert hidden not in text
    played = asked(PlayingModel(path), question(changing="THE QUESTION"))
    assert played.content is not None
    assert "use [redacted: github token]" in str(played.content["steps"])


def test_a_cassette_is_continued_also_after_a_kill_in_the_middle_of_a_line(
    server: ModelServer, tmp_path: Path
) -> None:
    server.add({**ANSWER, "times": 0})
    path = tmp_path / "run.cassette"
    inner = model_at("openai", server.url)
    asked(RecordingModel(inner, path))
    with path.open("ab") as file:
        file.write(b'{"ask":"half')
    assert asked(PlayingModel(path)).trouble is None
    asked(RecordingModel(inner, path), question(sample=1))
    playing = PlayingModel(path)
    assert asked(playing).trouble is None
    assert asked(playing, question(sample=1)).trouble is None
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 is damaged"),
        ("hello\n", "line 1 is damaged"),
        ('{"cassette":2}\n', "is of version 2"),
        ('{"cassette":1}\n{"ask":"x","reply":{}}\n', "line 2 is damaged"),
        ('{"cassette":1}\nnoise\n{"ask":"x"}\n', "line 2 is damaged"),
    ],
)
def test_what_is_no_cassette_is_refused_and_left_alone(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(UsageFault) as caught:
        PlayingModel(path)
    assert said in caught.value.message
    with serving() as server, pytest.raises(UsageFault):
        RecordingModel(model_at("openai", server.url), path)
    assert path.read_text() == content


def test_a_cassette_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="cannot be read"):
        PlayingModel(tmp_path / "none")


def test_the_first_line_says_who_answered(server: ModelServer, tmp_path: Path) -> None:
    path = tmp_path / "run.cassette"
    RecordingModel(model_at("openai", server.url), path)
    header = json.loads(path.read_text())
    assert header["cassette"] == 1
    assert header["model"]["host"].startswith("127.0.0.1")
    assert header["model"]["client"].startswith("openai ")
