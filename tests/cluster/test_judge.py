"""The cluster as a judge: the same answer as here, whoever gives it, and nothing that is not one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Judged, Lacking, read_answer, write_answer
from dev_agent.cluster.job import read_job
from dev_agent.cluster.watching import Asked
from dev_agent.gates.judge import LOCAL, GateName, Judgement
from dev_agent.gates.verdict import GateResult
from tests.cluster.asking import Asker, asking, question, waiting_sample
from tests.gates.samples import BROKEN, CALC, Sample
from tests.testing.cluster import Cluster, cluster

FINE = {"src/acme/calc.py": CALC.replace("number // 2", "number >> 1")}
RED = {"src/acme/calc.py": BROKEN}
ILL_TYPED = {"src/acme/calc.py": CALC + "\n\nWRONG: str = add(1, 2)\n"}
ODD = {"src/acme/calc.py": BROKEN, "wait.sh": "echo said; exit 3\n"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return waiting_sample(tmp_path_factory.mktemp("asker"))


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), "anvil") as made:
        yield made


@pytest.fixture
def asker(sample: Sample, workers: Cluster, tmp_path: Path) -> Iterator[Asker]:
    with asking(sample, workers.link(), tmp_path / "bundles") as made:
        workers.wait_for(made.link, "anvil")
        yield made


def here(asker: Asker, gate: GateName, files: dict[str, str | None]) -> Judgement:
    subject = asker.sample.change(files)
    return LOCAL.judge(question(asker.sample, gate, subject), asker.gates, Cancel())


def timeless(judgement: Judgement) -> list[dict[str, object]]:
    return [{**one.to_json(), "ms": 0, "cached": False, "output": one.output} for one in judgement.verdicts]


@pytest.mark.parametrize(
    ("gate", "files"),
    [(GateName.TYPES, ILL_TYPED), (GateName.TESTS, RED), (GateName.TESTS, FINE), (GateName.CHECKS, ODD)],
    ids=["types-red", "tests-red", "tests-green", "check-red"],
)
def test_a_worker_says_what_this_machine_says(
    asker: Asker, gate: GateName, files: dict[str, str | None]
) -> None:
    judgement = asker.ask(gate, asker.sample.change(files))
    assert judgement.by is not None
    assert (judgement.by.worker, judgement.by.address[:6]) == ("anvil", "tcp://")
    assert [one.result for one in judgement.verdicts] == [
        one.result for one in here(asker, gate, files).verdicts
    ]
    mine, theirs = timeless(here(asker, gate, files)), timeless(judgement)
    for one in (*mine, *theirs):
        one.pop("output")  # holds times
    assert theirs == mine


def test_what_was_answered_is_not_asked_again(
    asker: Asker, workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = asker.sample.change({**FINE, "note.txt": "once\n"})
    first = asker.ask(GateName.TESTS, subject)
    monkeypatch.setattr(asker.link, "ask", lambda *_: pytest.fail("a worker was asked"))
    again = asker.ask(GateName.TESTS, subject)
    assert [one.result for one in again.verdicts] == [one.result for one in first.verdicts]
    assert [one.cached for one in again.verdicts] == [True]
    assert again.by is not None
    assert again.by.worker == "anvil"


def test_what_a_worker_could_not_find_out_is_asked_again(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = asker.sample.change({**FINE, "note.txt": "not found out\n"})
    ask = asker.link.ask

    def unlucky(*arguments: object) -> object:
        came = ask(*arguments)  # type: ignore[arg-type]
        assert isinstance(came, bytes)
        address, _, data = came.partition(b"\n")
        answer = read_answer(data)
        if not isinstance(answer, Judged):
            return came
        errors = tuple(replace(one, result=GateResult.ERROR, reason="timeout") for one in answer.verdicts)
        return address + b"\n" + write_answer(replace(answer, verdicts=errors))

    with monkeypatch.context() as patched:
        patched.setattr(asker.link, "ask", unlucky)
        (first,) = asker.ask(GateName.TESTS, subject).verdicts
    (again,) = asker.ask(GateName.TESTS, subject).verdicts
    assert (first.result, first.reason) == (GateResult.ERROR, "timeout")
    assert again.result is GateResult.PASSED


def test_a_remembered_answer_to_another_job_is_none(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = asker.sample.change({**FINE, "note.txt": "remembered\n"})
    jobs = []
    ask = asker.link.ask

    def watched(asked: Asked, cancel: Cancel) -> object:
        if isinstance(asked.arguments[0], bytes):
            jobs.append(read_job(asked.arguments[0]).digest)
        return ask(asked, cancel)

    monkeypatch.setattr(asker.link, "ask", watched)
    asker.ask(GateName.TESTS, subject)
    cache, digest = asker.gates.context.cache, jobs[-1]
    entry = cache.get("judged", digest)
    assert entry is not None
    answer = read_answer(entry["answer"].encode())
    assert isinstance(answer, Judged)
    cache.put("judged", digest, {**entry, "answer": write_answer(replace(answer, job="0" * 64)).decode()})
    jobs.clear()
    asker.ask(GateName.TESTS, subject)
    assert jobs, "the worker was asked again"


def test_a_question_to_be_answered_afresh_is_asked_anew_each_time(asker: Asker) -> None:
    subject = asker.sample.change({**FINE, "note.txt": "afresh\n"})
    asked = [
        asker.judge.judge(question(asker.sample, GateName.TESTS, subject, afresh=True), asker.gates, Cancel())
        for _ in range(2)
    ]
    assert [one.cached for each in asked for one in each.verdicts] == [False, False]


def test_nobody_is_asked_about_checks_where_there_are_none(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = asker.gates.project
    bare = replace(project, config=replace(project.config, checks=()))
    context = replace(asker.gates.context, project=bare)
    monkeypatch.setattr(asker.gates, "_context", context)
    monkeypatch.setattr(asker.gates._checks, "_context", context)
    monkeypatch.setattr(asker.link, "ask", lambda *_: pytest.fail("a worker was asked"))
    assert asker.ask(GateName.CHECKS, asker.sample.change(FINE)) == Judgement(verdicts=())


FORGED = {
    "another job": lambda answer: replace(answer, job="0" * 64),
    "another environment": lambda answer: replace(answer, environment="0" * 64),
    "another tree": lambda answer: replace(
        answer, verdicts=tuple(replace(one, tree="0" * 40) for one in answer.verdicts)
    ),
    "another base": lambda answer: replace(
        answer, verdicts=tuple(replace(one, base_tree="0" * 40) for one in answer.verdicts)
    ),
    "another gate": lambda answer: replace(
        answer, verdicts=tuple(replace(one, gate="types") for one in answer.verdicts)
    ),
    "no verdict": lambda answer: replace(answer, verdicts=()),
    "two verdicts": lambda answer: replace(answer, verdicts=answer.verdicts * 2),
    "another project": lambda answer: replace(
        answer, verdicts=tuple(replace(one, environment="0" * 64) for one in answer.verdicts)
    ),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_an_answer_about_something_else_is_no_verdict(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, forgery: str
) -> None:
    ask = asker.link.ask

    def forged(*arguments: object) -> object:
        came = ask(*arguments)  # type: ignore[arg-type]
        assert isinstance(came, bytes)
        address, _, data = came.partition(b"\n")
        answer = read_answer(data)
        return address + b"\n" + write_answer(FORGED[forgery](answer)) if isinstance(answer, Judged) else came

    monkeypatch.setattr(asker.link, "ask", forged)
    subject = asker.sample.change({**RED, "note.txt": "forged\n"})  # never remembered here
    (verdict,) = asker.ask(GateName.TESTS, subject).verdicts
    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "judge_answer")
    assert (verdict.tree, verdict.base_tree) == (subject.tree, subject.base_tree)
    assert len(verdict.notes) == 2, "another worker was asked once"


@pytest.mark.parametrize(
    "bytes_", [b"", b"tcp://a:1\n", b"tcp://a:1\n{}", b"no line", b"\xff\n\xff", b"a\n" + b"9" * 99]
)
def test_what_is_no_answer_is_no_verdict(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, bytes_: bytes
) -> None:
    monkeypatch.setattr(asker.link, "ask", lambda *_: bytes_)
    (verdict,) = asker.ask(GateName.TESTS, asker.sample.change({"note.txt": "nonsense\n"})).verdicts
    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "judge_answer")


def test_a_worker_gets_nothing_that_the_job_does_not_name(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    subject = asker.sample.change({"note.txt": "curious\n"})
    asker.ask(GateName.CHECKS, subject)
    (surety,) = asker.judge._sureties.values()
    monkeypatch.setitem(surety.sources, "5" * 64, secret)

    def curious(asked: Asked, _cancel: Cancel) -> bytes:
        job = asked.arguments[0]
        assert isinstance(job, bytes)
        return b"tcp://a:1\n" + write_answer(Lacking(job=read_job(job).digest, digests=("5" * 64,)))

    monkeypatch.setattr(asker.link, "ask", curious)
    monkeypatch.setattr(asker.link, "run_on", lambda *_: pytest.fail("it was sent something"))
    (verdict,) = asker.ask(GateName.TESTS, subject).verdicts
    assert verdict.reason == "judge_answer"
