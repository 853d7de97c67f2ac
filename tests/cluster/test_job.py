"""A job is input from somebody else: everything in it is checked, and it says all that decides a verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cluster.answer import (
    Answer,
    BadAnswer,
    Judged,
    Lacking,
    Trouble,
    TroubleKind,
    read_answer,
    write_answer,
)
from dev_agent.cluster.frozen import FrozenEnvironment, NamedFile, Pinned
from dev_agent.cluster.job import BadJob, Job, Parcel, Rules, read_job
from dev_agent.cluster.remote_address import remote_fault
from dev_agent.cluster.tool import tool_version
from dev_agent.gates.verdict import Failure, GateResult, Verdict
from dev_agent.sandbox.profile import Profile

DIGEST, OTHER = "d" * 64, "e" * 64
JOB = Job(
    gate="tests",
    base_tree="a" * 40,
    tree="b" * 40,
    changed=("a.py", "odd-\udcff.py"),
    root="/home/ann/acme",
    repository=DIGEST,
    object_format="sha1",
    environment=FrozenEnvironment(
        python="3.11.7",
        implementation="cpython",
        platform="linux-x86_64",
        distributions=(Pinned(name="pluggy", version="1.6.0", digest=DIGEST),),
        own=(NamedFile(path="acme.pth", sha256=OTHER, size=9),),
    ),
    interpreter="/home/ann/acme/.venv/bin/python",
    prefix="/home/ann/acme/.venv",
    project=DIGEST,
    tool=tool_version(),
    must_pass=("tests/test_a.py::test_b",),
    files=(NamedFile(path="data/local.txt", sha256=DIGEST, size=3),),
    objects=(Parcel(sha256=DIGEST, size=10), Parcel(sha256=OTHER, size=20)),
    remote="ssh://git@example.org/acme.git",
    base_commit="c" * 40,
    checkout=("core.autocrlf=input",),
)


def test_a_job_that_is_written_and_read_is_the_same() -> None:
    assert read_job(JOB.to_bytes()) == JOB


def test_what_travels_how_does_not_change_the_question_and_everything_else_does() -> None:
    shipped = replace(JOB, objects=(), remote="", base_commit="", deadline_s=1)
    assert shipped.digest == JOB.digest
    others = (
        replace(JOB, root="/home/bob/acme"),
        replace(JOB, rules=Rules(tests="strict")),
        replace(JOB, must_pass=()),
        replace(JOB, project=OTHER),
        replace(JOB, gate="types"),
        replace(JOB, fresh="1"),
        replace(JOB, checkout=()),
        replace(JOB, profile=Profile(tmp_bytes=1)),
    )
    assert len({JOB.digest, *(one.digest for one in others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("gate", "deploy", "gate: must be one of"),
        ("tree", "HEAD", "tree: must be the id of a tree"),
        ("tree", "b" * 64, "tree: must be the id of a tree"),
        ("changed", ["../x"], "changed: must be plain relative paths"),
        ("changed", ["b", "a"], "changed: must be plain relative paths, sorted"),
        ("changed", [".GIT/config"], "changed: must be plain relative paths"),
        ("root", "relative", "root: must be an absolute path"),
        ("root", "/a/../b", "root: must be an absolute path"),
        ("root", "/", "root: must be an absolute path"),
        ("interpreter", "/elsewhere/python", "interpreter: does not lie in `prefix`"),
        ("prefix", "/home/ann", "prefix: holds the work tree"),
        ("repository", "../../etc", "repository: must be 64 hex digits"),
        ("sandbox", "off", "sandbox: must be one of auto, bubblewrap, landlock"),
        ("files", [["/etc/passwd", DIGEST, 1]], "files: each must be a plain relative path"),
        ("files", [["a/../../b", DIGEST, 1]], "files: each must be a plain relative path"),
        ("files", [["a", "short", 1]], "files: each must be a plain relative path"),
        ("objects", [[DIGEST, 10**12]], "objects: each must be the sha256 of a bundle"),
        ("objects", [[DIGEST, 1]] * 17, "objects: must be a list of at most 16"),
        ("remote", "https://ann:secret@example.org/a", "remote: must not hold credentials"),
        ("remote", "--upload-pack=touch /tmp/x", "remote: must be an address"),
        ("fresh", "../x", "fresh: must be a nonce"),
        ("checkout", ["core.sshCommand=evil"], "checkout: only says core.autocrlf"),
        ("deadline_s", -1, "deadline_s: must be a whole number"),
        ("surprise", 1, "surprise: unknown key"),
        ("rules", {"types": "never"}, "rules.types: must be one of"),
        ("format", 2, "format: must be 1"),
    ],
)
def test_a_field_that_is_wrong_is_named(field: str, value: object, said: str) -> None:
    table = json.loads(JOB.to_bytes())
    table[field] = value
    with pytest.raises(BadJob) as refused:
        read_job(written(table))
    assert any(said in fault for fault in refused.value.faults), refused.value.faults


def test_every_fault_is_said_at_once() -> None:
    table = {**json.loads(JOB.to_bytes()), "gate": "", "tree": "", "root": ""}
    with pytest.raises(BadJob) as refused:
        read_job(written(table))
    assert {one.partition(":")[0] for one in refused.value.faults} >= {"gate", "tree", "root"}


def test_a_profile_with_a_network_is_no_job() -> None:
    table = json.loads(JOB.to_bytes())
    table["profile"]["network"] = True
    with pytest.raises(BadJob, match="no judged program has a network"):
        read_job(written(table))


@pytest.mark.parametrize(
    "version", ["1.0 --index-url=http://evil", "1.0\n-e .", "-r/etc/passwd", "", "1.0 ; x"]
)
def test_a_version_that_would_say_more_to_an_installer_is_refused(version: str) -> None:
    table = json.loads(JOB.to_bytes())
    table["environment"]["distributions"] = [["pluggy", version, DIGEST]]
    with pytest.raises(BadJob, match=r"environment\.distributions"):
        read_job(written(table))


@pytest.mark.parametrize("name", ["Pluggy", "-e", "a b", "x@git+https://evil", "../x"])
def test_a_name_that_would_say_more_to_an_installer_is_refused(name: str) -> None:
    table = json.loads(JOB.to_bytes())
    table["environment"]["distributions"] = [[name, "1", DIGEST]]
    with pytest.raises(BadJob, match=r"environment\.distributions"):
        read_job(written(table))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/team/acme.git",
        "https://example.org:8443/acme",
        "ssh://git@example.org:2222/acme.git",
        "git://[2001:db8::1]/acme",
        "file:///srv/git/acme.git",
    ],
)
def test_an_address_a_worker_may_fetch_from(url: str) -> None:
    assert not remote_fault(url)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c evil",
        "http://example.org/a",
        "file://host/a",
        "file:///srv/../etc",
        "https://token@example.org/a",
        "ssh://git:secret@example.org/a",
        "ssh://-oProxyCommand=evil/a",
        "ssh://example.org/-a/../b",
        "git@example.org:acme.git",
        "https://example.org",
        "https://example.org/a?x=1",
        "https://example.org/a#x",
        "https://example.org/a b",
        "https://example.org/ä",
        "https://example.org:99999/a",
        "-x",
    ],
)
def test_an_address_a_worker_may_not_fetch_from(url: str) -> None:
    fault = remote_fault(url)
    assert fault
    assert "secret" not in fault
    assert "token" not in fault


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_a_job_or_refused(data: bytes) -> None:
    """The law of everything read from outside: a value or one known refusal."""
    with pytest.raises(BadJob):
        read_job(data)


VERDICT = Verdict(
    gate="tests",
    result=GateResult.FAILED,
    reason="new_failures",
    tree="b" * 40,
    base_tree="a" * 40,
    new_failures=(Failure(id="t", message="m"),),
    output=b"\xff said",
)
ANSWERS = (
    Judged(job=DIGEST, verdicts=(VERDICT,), worker="anvil", environment=OTHER, confinement="landlock", ms=3),
    Judged(job=DIGEST, verdicts=(), worker="anvil", environment=OTHER, confinement="landlock", ms=0),
    Lacking(job=DIGEST, digests=(OTHER,)),
    Trouble(job="", kind=TroubleKind.NO_SPACE, message="full", hint="more"),
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_written_and_read_is_the_same(answer: Answer) -> None:
    assert read_answer(write_answer(answer)) == answer


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "approved"},
        {"verdicts": [{}]},
        {"outputs": []},
        {"outputs": ["?"]},
        {"job": "x"},
        {"verdicts": None},
    ],
)
def test_what_is_no_answer_is_refused(changes: dict[str, Any]) -> None:
    table = {**json.loads(write_answer(ANSWERS[0])), **changes}
    with pytest.raises(BadAnswer):
        read_answer(written(table))


def test_versions_that_differ_are_named_on_both_sides() -> None:
    mine = tool_version()
    theirs = replace(mine, dev_agent="9.9", python="3.99", distributed="1.0")
    assert mine.differences(mine) == ()
    said = "; ".join(mine.differences(theirs))
    for both in ((mine.dev_agent, "9.9"), (mine.python, "3.99"), (mine.distributed, "1.0")):
        assert f"{both[0]} here, {both[1]} there" in said
    assert "other sources" in "".join(mine.differences(replace(mine, sources=OTHER)))


def written(table: object) -> bytes:
    return json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
