"""What processes of a cluster do when they are killed, stopped or cut off in the middle of a job. All of them real."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.gates.judge import GateName, Judgement
from dev_agent.gates.verdict import GateResult
from tests.cluster.asking import Asker, Asking, Waiting, asking, waiting_sample
from tests.gates.samples import Sample
from tests.testing.cluster import CALM, Cluster, Temper, cluster, eventually

pytestmark = pytest.mark.kill

DEADLY = """\
import os
import dev_agent.cluster.dask_worker as worker
worker.answer = lambda job: os._exit(7)
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return waiting_sample(tmp_path_factory.mktemp("asker"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), "anvil", "bellows") as made:
        yield made


@pytest.fixture
def workers(place: Cluster) -> Cluster:
    """Both there, whatever a test before did to them."""
    for name in ("anvil", "bellows"):
        if place.workers[name].poll() is not None:
            place.start_worker(name)
    return place


@pytest.fixture
def temper() -> Temper:
    return Temper()


@pytest.fixture
def hasty() -> Temper:
    return Temper(connect_s=2)


@pytest.fixture
def asker(sample: Sample, workers: Cluster, temper: Temper, tmp_path: Path) -> Iterator[Asker]:
    with asking(sample, workers.link(temper.patience), tmp_path / "bundles") as made:
        workers.wait_for(made.link, "anvil", "bellows")
        yield made


def passed_by(judgement: Judgement) -> str:
    """Who judged, if the one verdict is that it passed."""
    assert [one.result for one in judgement.verdicts] == [GateResult.PASSED]
    assert judgement.by is not None
    return judgement.by.worker


def worker_of(asker: Asker, workers: Cluster, pid: int) -> str:
    """The worker below which a sandboxed process runs."""
    ids = {process.pid: name for name, process in workers.workers.items()}
    while pid > 1 and pid not in ids:
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    return ids[pid]


def another_has_it(asker: Asker, first: str) -> bool:
    """True once some task is at another worker than the first."""
    view = asker.link.view()
    return any(view.workers[at].name != first for at in view.tasks.values() if at in view.workers)


def finish(waiting: Waiting) -> None:
    """Let the check go on, by ending what it waits for."""
    for pid in waiting.running():
        os.kill(pid, signal.SIGKILL)


def test_a_worker_killed_in_mid_job_costs_one_rerun_and_no_verdict(
    asker: Asker, workers: Cluster, temper: Temper
) -> None:
    waiting = asker.waiting()
    asked = Asking(asker, waiting.subject)
    pid = waiting.begun()
    first = worker_of(asker, workers, pid)
    workers.kill(first)
    temper.lose(gone_s=2)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "its sandbox ended")
    second = worker_of(asker, workers, waiting.begun())
    assert second != first
    finish(waiting)
    assert passed_by(asked.answered()) == second


def test_a_worker_that_is_stopped_is_replaced_and_its_late_answer_ignored(
    asker: Asker, workers: Cluster, temper: Temper
) -> None:
    waiting = asker.waiting()
    asked = Asking(asker, waiting.subject)
    pid = waiting.begun()
    first = worker_of(asker, workers, pid)
    workers.kill(first, signal.SIGSTOP)
    temper.lose(silent_s=4)
    try:
        eventually(lambda: another_has_it(asker, first), "another worker was asked")
        temper.calm_down()
        eventually(lambda: len(waiting.running()) == 2, "another worker began")
        (other,) = set(waiting.running()) - {pid}
        second = worker_of(asker, workers, other)
        finish(waiting)
        assert passed_by(asked.answered()) == second != first
    finally:
        workers.kill(first, signal.SIGCONT)


def test_to_stop_waiting_ends_the_judged_program(asker: Asker) -> None:
    waiting = asker.waiting()
    asked = Asking(asker, waiting.subject)
    waiting.begun()
    asked.cancel.request()
    asked.join(300)
    assert asked.stopped
    eventually(lambda: not waiting.running(), "the sandbox heard of it")


def test_a_scheduler_killed_and_started_again_costs_one_rerun(asker: Asker, workers: Cluster) -> None:
    waiting = asker.waiting()
    asked = Asking(asker, waiting.subject)
    pid = waiting.begun()
    workers.kill("scheduler")
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "the worker let go of it")
    workers.start_scheduler()
    waiting.begun()
    finish(waiting)
    assert passed_by(asked.answered()) in {"anvil", "bellows"}


def test_a_job_that_kills_every_worker_ends_as_the_machines_fault_after_a_few(
    sample: Sample, tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly.py"
    deadly.write_text(DEADLY)
    preload = {"DASK_DISTRIBUTED__WORKER__PRELOAD": str(deadly)}
    few = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with (
        cluster(tmp_path / "cluster", "one", "two", "three", variables={**preload, **few}) as made,
        asking(sample, made.link(), tmp_path / "bundles") as asker,
    ):
        made.wait_for(asker.link, "one", "two", "three")
        (verdict,) = asker.ask(GateName.TESTS, sample.change({"note.txt": "deadly\n"})).verdicts
        assert (verdict.result, verdict.reason) == (GateResult.ERROR, "judge_killed")
        assert "2 in all" in verdict.notes[0]
        eventually(lambda: sum(one.poll() == 7 for one in made.workers.values()) == 2, "two of three died")


def test_a_cluster_without_workers_is_an_error_and_not_a_wait(sample: Sample, tmp_path: Path) -> None:
    with (
        cluster(tmp_path / "cluster") as made,
        asking(sample, made.link(replace(CALM, nobody_s=2)), tmp_path / "bundles") as asker,
    ):
        (verdict,) = asker.ask(GateName.TESTS, sample.change({"note.txt": "nobody\n"})).verdicts
        assert (verdict.result, verdict.reason) == (GateResult.ERROR, "judge_no_workers")
        assert f"dev-agent worker {made.url}" in verdict.hint


def test_a_scheduler_that_never_comes_back_is_an_error_and_not_a_wait(
    sample: Sample, hasty: Temper, tmp_path: Path
) -> None:
    with (
        cluster(tmp_path / "cluster", "anvil") as made,
        asking(sample, made.link(hasty.patience), tmp_path / "bundles") as asker,
    ):
        made.wait_for(asker.link, "anvil")
        waiting = asker.waiting()
        asked = Asking(asker, waiting.subject)
        waiting.begun()
        made.kill("scheduler")
        hasty.lose(scheduler_s=2, nobody_s=5)
        (verdict,) = asked.answered().verdicts
        assert verdict.result is GateResult.ERROR
        assert verdict.reason in {"judge_scheduler", "judge_no_workers"}
        assert made.url in " ".join((verdict.hint, *verdict.notes))


def test_a_scheduler_that_is_stopped_is_an_error_and_not_a_wait(
    sample: Sample, hasty: Temper, tmp_path: Path
) -> None:
    with (
        cluster(tmp_path / "cluster", "anvil") as made,
        asking(sample, made.link(hasty.patience), tmp_path / "bundles") as asker,
    ):
        made.wait_for(asker.link, "anvil")
        waiting = asker.waiting()
        asked = Asking(asker, waiting.subject)
        waiting.begun()
        made.kill("scheduler", signal.SIGSTOP)
        hasty.lose(scheduler_s=1, nobody_s=5)
        (verdict,) = asked.answered().verdicts
        assert (verdict.result, verdict.reason) == (GateResult.ERROR, "judge_scheduler")
