"""`dev-agent worker` as a process at a real scheduler: what it answers, what stops it, and what a kill leaves."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from distributed import Client

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Answer, Judged, Lacking, Trouble, TroubleKind, read_answer
from dev_agent.cluster.dask_greeting import security_of
from dev_agent.cluster.dask_worker import WorkshopPlugin, answer, take
from dev_agent.cluster.security import temporary_tls
from dev_agent.cluster.workshop import Workshop
from dev_agent.cluster.workshop_settings import WorkshopSettings
from tests.gates.samples import CALC, PYTEST, SRC_LAYOUT, Sample, make_sample, make_sandbox, write_editable
from tests.testing.cluster import CHECKOUT, Cluster, cluster, eventually, own_port
from tests.testing.jobs import Ask, answer_with, ask_of

ENDLESS = {"src/acme/calc.py": f"{CALC}\nimport time\n\ntime.sleep(100_000)\n"}
_MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("asker")
    made = make_sample(folder, SRC_LAYOUT, make_sandbox(folder), venv=PYTEST)
    write_editable(made)
    return made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One worker, at a scheduler that wants certificates."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "tls").mkdir(mode=0o700)
    with cluster(folder / "run", "anvil", tls=temporary_tls(folder / "tls")) as made:
        yield made


class Asker:
    """A client of Dask's that speaks as ours does, with none of its patience."""

    def __init__(self, running: Cluster) -> None:
        self._client = Client(running.url, security=security_of(running.url, running.tls), timeout=300)

    def ship(self, ask: Ask) -> None:
        """Send what the worker lacks."""
        address, found = self.ask(ask)
        assert isinstance(found, Lacking), found
        for sha256 in found.digests:
            data = ask.content[sha256]
            said = self._client.run(take, sha256, "asker", 0, len(data), data, workers=[address])
            assert said == {address: b"%d" % len(data)}

    def submit(self, ask: Ask) -> Any:
        """A future of the answer."""
        return self._client.submit(answer, ask.job.to_bytes(), pure=False)

    def ask(self, ask: Ask) -> tuple[str, Answer]:
        return opened(self.submit(ask).result(timeout=300))

    def close(self) -> None:
        self._client.close(timeout=5)


def opened(reply: bytes) -> tuple[str, Answer]:
    address, _, written = reply.partition(b"\n")
    return address.decode(), read_answer(written)


def judged_programs(place: Path) -> list[int]:
    """Processes of sandboxes that judge the project at `place`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if any(one.endswith("runner/launch.py") for one in line) and str(place) in " ".join(line):
            found.append(process.pid)
    return found


def test_a_worker_answers_and_its_sandboxes_end_when_nobody_waits_or_it_dies(
    running: Cluster, sample: Sample
) -> None:
    place = sample.project.root
    asker = Asker(running)
    good = ask_of(sample, sample.change({"src/acme/calc.py": CALC + "# good\n"}), "types")
    asker.ship(good)
    address, found = asker.ask(good)
    assert isinstance(found, Judged), found
    assert (found.worker, found.verdicts[0].tree) == ("anvil", good.job.tree)
    assert address.startswith("tls://127.0.0.1:")

    endless = ask_of(sample, sample.change(ENDLESS), "tests")
    asker.ship(endless)
    taken_back = asker.submit(endless)
    eventually(lambda: judged_programs(place), "the tests run")
    taken_back.cancel()
    eventually(lambda: not judged_programs(place), "a future that is taken back ends the sandbox")

    vanishing = Asker(running)
    _waiting = vanishing.submit(endless)
    eventually(lambda: judged_programs(place), "the tests run")
    vanishing.close()
    eventually(lambda: not judged_programs(place), "a client that is gone ends the sandbox")

    _lost = asker.submit(endless)
    eventually(lambda: judged_programs(place), "the tests run")
    running.kill("scheduler")
    eventually(lambda: not judged_programs(place), "a scheduler that is gone ends the sandbox")
    asker.close()
    running.start_scheduler()

    again = Asker(running)
    _address, found = again.ask(good)
    assert isinstance(found, Judged)
    assert found.verdicts[0].cached, "what it kept, it has when it comes back"
    _killed = again.submit(endless)
    eventually(lambda: judged_programs(place), "the tests run")
    running.kill("anvil")
    eventually(lambda: not judged_programs(place), "a worker that is killed takes its sandboxes with it")
    again.close()


def weight(process: psutil.Process) -> float:
    """Bytes in memory of a process and all below it; endless if one of them ends meanwhile."""
    try:
        return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True))))
    except psutil.NoSuchProcess:
        return math.inf


def test_an_idle_worker_takes_little_memory_and_ends_by_its_own_door(running: Cluster) -> None:
    running.start_worker("idle")
    eventually(lambda: "registered at" in running.said("idle"), "the worker is there")
    process = psutil.Process(running.workers["idle"].pid)
    # A child that is just being started is weighed with all that its parent has.
    eventually(lambda: weight(process) < 150 * _MEGABYTE, "it takes little memory")
    running.kill("idle", signal.SIGTERM)
    assert running.workers["idle"].wait(timeout=300) == 0


def test_a_plugin_tells_what_runs_to_stop_only_when_nobody_waits_for_it(
    sample: Sample, tmp_path: Path
) -> None:
    workshop = Workshop(
        WorkshopSettings(name="anvil", folder=tmp_path / "shop", environ=sample.project.environ, least_free=1)
    )
    plugin = WorkshopPlugin(workshop)
    ask = ask_of(sample, sample.change(ENDLESS), "tests")
    cancelled = Cancel()
    cancelled.request()
    assert isinstance(answer_with(workshop, ask, cancelled), Trouble)  # everything is shipped now
    replies: list[bytes] = []
    plugin.transition("one", "ready", "executing")
    thread = threading.Thread(target=lambda: replies.append(plugin.answer("one", ask.job.to_bytes())))
    thread.start()
    eventually(lambda: judged_programs(sample.project.root), "the tests run")
    plugin.transition("two", "executing", "released")
    plugin.transition("one", "executing", "long-running")
    assert judged_programs(sample.project.root)
    plugin.transition("one", "long-running", "released")
    thread.join()
    _, found = opened(replies[0])
    assert isinstance(found, Trouble)
    assert found.kind is TroubleKind.CANCELLED
    workshop.close()


def test_a_plain_dask_worker_says_that_it_judges_nothing() -> None:
    code = "from dev_agent.cluster.dask_worker import answer; print(answer(b'').decode())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONPATH": str(CHECKOUT)}
    )
    assert b"a plain Dask worker" in done.stdout


def worker(
    *args: str, code: int, environ: Mapping[str, str] | None = None, before: tuple[str, ...] = ()
) -> str:
    """Start a worker that is not to start; what it says."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "dev_agent", "worker", *args],
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PYTHONPATH": str(CHECKOUT),
            **(environ or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
        cwd=CHECKOUT,
    )
    said = done.stderr.decode()
    assert done.returncode == code, said
    return re.sub(r"\s+", " ", said)


def test_a_worker_without_a_scheduler_says_so(tmp_path: Path) -> None:
    with own_port() as port:
        url = f"tcp://127.0.0.1:{port}"
        said = worker(url, "--folder", str(tmp_path / "w"), "--patience", "0", code=3)
    assert f"no scheduler answers at {url}" in said
    assert "dask scheduler" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("local:2",), "a worker needs the address of a scheduler"),
        (("tcp://h:1", "--tls-ca", "x"), "--tls-ca, --tls-cert and --tls-key go together"),
        (("tcp://h:1", "--environment", "/nowhere"), "--environment /nowhere: there is no such directory"),
        (("tcp://h:1", "--allow-sources"), "--allow-sources is for --build-environments"),
        (("tcp://h:1", "--cache-size", "much"), "--cache-size: 'much' is not a size"),
        (("tcp://h:1", "--listen", "host:port"), "--listen 'host:port' is no host and port"),
    ],
)
def test_wrong_options_are_one_sentence(args: tuple[str, ...], said: str) -> None:
    from dev_agent.cli.app import _invoke  # noqa: PLC0415 - in process: nothing is started
    from dev_agent.errors import UsageFault  # noqa: PLC0415 - as above

    with pytest.raises(UsageFault) as refused:
        _invoke(("worker", *args))
    assert said in refused.value.message


def test_a_machine_without_confinement_is_refused(tmp_path: Path) -> None:
    """Neither namespaces nor Landlock: nothing is served, whatever the scheduler."""
    before = (sys.executable, "-m", "tests.sandbox.without_confinement")
    said = worker("tcp://127.0.0.1:9", "--folder", str(tmp_path / "w"), code=3, before=before)
    assert "no sandbox works here" in said
    assert "landlock" in said
