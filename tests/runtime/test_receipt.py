"""Receipts: a function of the trace, in the forms others read."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dev_agent.runtime.actions import Result
from dev_agent.runtime.canonical import parse_canonical
from dev_agent.runtime.errors import NotCanonical, ReceiptMalformed
from dev_agent.runtime.receipt import (
    PAYLOAD_TYPE,
    Envelope,
    Signature,
    costs,
    pae,
    path,
    receipt_bytes,
    rejected,
    statement,
    summary,
)
from dev_agent.runtime.trace import read_trace
from tests.runtime.test_engine import INPUTS, gated, interrupted_once, raises, work
from tests.runtime.worlds import always, in_turn, single

SUBJECT: list[dict[str, Any]] = [{"name": "tree", "digest": {"gitTree": "abc"}}]


def test_a_statement_is_an_in_toto_statement_in_canonical_bytes() -> None:
    made = statement(SUBJECT, "https://example.org/receipt/v1", {"b": 1, "a": [True]})
    assert receipt_bytes(made) == (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":[true],"b":1},'
        b'"predicateType":"https://example.org/receipt/v1","subject":[{"digest":{"gitTree":"abc"},"name":"tree"}]}'
    )
    assert parse_canonical(receipt_bytes(made)) == made


@pytest.mark.parametrize(
    "subject", [[{"name": "x"}], [{"digest": {"a": "b"}}], [{"name": 1, "digest": {"a": "b"}}]]
)
def test_a_subject_without_name_or_digest_is_refused(subject: list[dict[str, Any]]) -> None:
    with pytest.raises(ReceiptMalformed):
        statement(subject, "x", {})


def test_a_predicate_with_a_float_is_refused() -> None:
    with pytest.raises(NotCanonical):
        statement(SUBJECT, "x", {"a": 0.5})  # type: ignore[dict-item]


def test_the_encoding_that_is_signed_is_dsse_s_own() -> None:
    # The example of the DSSE protocol document.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


def test_an_envelope_reads_back_as_written_and_ignores_what_it_does_not_know() -> None:
    envelope = Envelope(
        payload_type=PAYLOAD_TYPE,
        payload=b'{"\xff\xfe',
        signatures=(Signature(keyid="k", sig=b"\x00\xfb\xff"),),
    )
    assert Envelope.from_bytes(envelope.to_bytes()) == envelope
    value = json.loads(envelope.to_bytes())
    assert base64.b64decode(value["payload"]) == envelope.payload
    value["later"] = 1
    del value["signatures"][0]["keyid"]
    value["payload"] = base64.urlsafe_b64encode(envelope.payload).decode()
    read = Envelope.from_bytes(json.dumps(value).encode())
    assert (read.payload, read.signatures[0].keyid) == (envelope.payload, "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payloadType":1,"payload":"","signatures":[]}',
        b'{"payloadType":"x","payload":"*","signatures":[]}',
        b'{"payloadType":"x","payload":"","signatures":[{}]}',
        b'{"payloadType":"x","payload":"","signatures":3}',
        b'{"payloadType":"x","payload":"","signatures":[3]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(ReceiptMalformed):
        Envelope.from_bytes(data)


def test_a_summary_tells_the_path_the_costs_and_the_head(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    run.start(INPUTS)
    events = run.events()
    made = summary(events)
    assert made["run"] == "run-1"
    assert made["binding"] == {"program": run.program.digest}
    assert made["cost"] == {"tokens": 10}
    assert made["rejected"] == []
    assert made["trace"] == {"events": len(events), "head": {"sha256": events[-1].hash}}
    steps: Any = made["path"]
    assert [(step["state"], step["outcome"], step["next"]) for step in steps] == [
        ("make", "made", "check"),
        ("check", "passed", "consent"),
        ("consent", "otherwise", "land"),
        ("land", "landed", "committed"),
    ]
    assert events[steps[0]["event"]].data["outcome"] == "made"


@pytest.mark.law
def test_a_receipt_of_the_same_trace_is_the_same_bytes_from_memory_and_from_disk(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", tests=in_turn("failed", "passed"))
    with run.journal() as journal:
        run.engine(journal).start(INPUTS)
        live = receipt_bytes(statement(SUBJECT, "x", summary(journal.events)))
    assert receipt_bytes(statement(SUBJECT, "x", summary(read_trace(tmp_path / "r")))) == live


def test_refused_attempts_are_named_by_kind_and_never_by_message(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", tests=raises(ValueError("a secret")))
    run.start(INPUTS)
    found: Any = rejected(run.events())
    assert [(one["state"], one["branch"], one["reason"]) for one in found] == [
        ("check", "unit", "ValueError")
    ]
    assert "secret" not in str(summary(run.events()))


def test_retries_interruptions_and_budgets_show(tmp_path: Path) -> None:
    made = single("retry = { attempts = 2 }", budgets="transitions = 2")
    run = work(tmp_path / "a", raises(KeyError("x")), made)
    run.start()
    assert [one["reason"] for one in as_any(rejected(run.events()))] == ["KeyError", "KeyError"]

    run = work(tmp_path / "b", always("again"), single(budgets="transitions = 2"))
    run.start()
    assert [one["reason"] for one in as_any(rejected(run.events()))] == ["budget_transitions"]
    assert as_any(path(run.events()))[-1] == {
        "event": 6,
        "state": "work",
        "outcome": "budget_transitions",
        "next": "rejected",
        "ms": 0,
    }

    run = work(tmp_path / "c", interrupted_once())
    run.start()
    run.resume()
    assert costs(run.events()) == {"tokens": 5}


def test_an_error_an_action_chose_itself_is_a_refusal_without_a_kind(tmp_path: Path) -> None:
    run = work(tmp_path / "r", lambda _view: Result("error", {}))
    run.start()
    assert as_any(rejected(run.events()))[0]["reason"] == "error"


def as_any(value: Any) -> Any:
    return value
