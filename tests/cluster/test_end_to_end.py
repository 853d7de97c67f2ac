"""Whole commands with `--cluster`: candidates of nothing but words and real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.asking import waiting_sample
from tests.gates.samples import BROKEN, CALC, Sample
from tests.testing.cluster import (
    CHECKOUT,
    Cluster,
    at_sleep,
    cluster,
    endless_sleep,
    eventually,
    processes,
    started,
)

COUNTING = """\
import os
import dev_agent.cluster.dask_worker as worker
from dev_agent.cluster.answer import Lacking, read_answer
from dev_agent.cluster.job import read_job
real = getattr(worker.answer, "real", worker.answer)
def count(word):
    with open(os.environ["COUNT"], "a") as stream:
        print(word, file=stream)
def answer(job):
    gate = read_job(job).gate
    count(gate)
    reply = real(job)
    if isinstance(read_answer(reply.partition(b"\\n")[2]), Lacking):
        count("-" + gate)
    return reply
answer.real = real
worker.answer = answer
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return waiting_sample(tmp_path_factory.mktemp("asker"))


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    counting = folder / "counting.py"
    counting.write_text(COUNTING)
    variables = {"DASK_DISTRIBUTED__WORKER__PRELOAD": str(counting), "COUNT": str(folder / "count")}
    with cluster(folder, "anvil", "bellows", variables=variables) as made:
        link = made.link()
        made.wait_for(link, "anvil", "bellows")
        link.close()
        yield made


def asked(workers: Cluster) -> list[str]:
    """The gates that workers were asked about, in order, and with a minus those of which something was lacking."""
    count = workers.folder / "count"
    return count.read_text().split() if count.exists() else []


def judged(words: list[str]) -> list[str]:
    """Of these, the gates that were judged: a question that comes again with what was lacking is one question."""
    return sorted(
        (
            Counter(one for one in words if one[0] != "-")
            - Counter(one[1:] for one in words if one[0] == "-")
        ).elements()
    )


def start(sample: Sample, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """A command under way."""
    environ = {**sample.project.environ, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "dev_agent", *arguments],
        cwd=sample.project.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(sample: Sample, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """A command to its end: exit code, stdout, stderr."""
    process = start(sample, *arguments, **variables)
    stdout, stderr = process.communicate(timeout=300)
    return process.returncode, stdout.decode(), stderr.decode()


def patch(sample: Sample, path: str, before: str, after: str) -> str:
    """A patch file that turns a file into another text."""
    place = sample.project.root.parent / f"{abs(hash((path, after)))}.md"
    place.write_text(f"{path}\n<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE\n")
    return str(place)


def gates(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(one["name"], one["verdict"]) for one in data["gates"]]


def test_a_red_change_is_red_wherever_it_is_judged_and_show_says_where(
    sample: Sample, workers: Cluster
) -> None:
    change = patch(sample, "src/acme/calc.py", CALC, BROKEN)
    code, here, _ = run(sample, "apply", "Subtract", "--patch", change, "--json")
    there_code, there, _ = run(
        sample, "apply", "Subtract", "--patch", change, "--json", "--cluster", workers.url
    )
    assert code == there_code == 1
    mine, theirs = json.loads(here), json.loads(there)
    assert gates(mine) == gates(theirs)
    assert [one["new_failures"] for one in mine["gates"]] == [one["new_failures"] for one in theirs["gates"]]
    assert {one["judged_by"]["worker"] for one in theirs["gates"]} <= {"anvil", "bellows"}
    assert not any("judged_by" in one for one in mine["gates"])
    _, shown, _ = run(sample, "show", theirs["run"])
    assert "judged by anvil (tcp://" in shown or "judged by bellows (tcp://" in shown
    code, said, _ = run(sample, "verify", theirs["run"])
    assert (code, "The proof holds" in said) == (0, True)


def test_killed_and_resumed_no_worker_is_asked_twice_for_a_verdict(sample: Sample, workers: Cluster) -> None:
    sleep = endless_sleep()
    change = patch(sample, "wait.sh", "true\n", f"{sleep}\ntrue\n")
    before = len(asked(workers))
    state = sample.project.git_dir / "dev-agent/cache/judged"
    known = set(state.rglob("*.json"))
    process = start(sample, "apply", "Wait", "--patch", change, "--dry-run", "--cluster", workers.url)
    # The third may stand in line behind the check that waits.
    eventually(lambda: at_sleep(sleep) and set(state.rglob("*.json")) - known, "an answer")
    process.kill()
    process.communicate()
    eventually(lambda: not at_sleep(sleep), "a client that is gone is worked for no longer")
    answered = len(set(state.rglob("*.json")) - known)
    first = asked(workers)[before:]
    resumed = start(sample, "resume", "last", "--json", "--cluster", workers.url)
    eventually(lambda: at_sleep(sleep), "the check runs again")
    for pid in at_sleep(sleep):
        os.kill(pid, signal.SIGKILL)
    said, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    again = judged(asked(workers)[before + len(first) :])
    assert answered >= 1
    assert "checks" in again
    assert len(again) == 3 - answered, "only what nobody had answered, once"
    assert sorted(gates(json.loads(said))) == [("tests", "passed"), ("types", "passed"), ("wait", "passed")]


def test_an_interrupted_command_ends_the_judged_program_on_the_worker(
    sample: Sample, workers: Cluster
) -> None:
    sleep = endless_sleep()
    change = patch(sample, "wait.sh", "true\n", f"{sleep}\ntrue\n")
    process = start(sample, "apply", "Wait", "--patch", change, "--dry-run", "--cluster", workers.url)
    eventually(lambda: at_sleep(sleep), "the check runs")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    eventually(lambda: not at_sleep(sleep), "the sandbox ended")


def test_a_cluster_here_judges_and_ends_with_the_command_whatever_kills_it(sample: Sample) -> None:
    sleep = endless_sleep()
    change = patch(sample, "wait.sh", "true\n", f"{sleep}\ntrue\n")
    process = start(sample, "apply", "Wait", "--patch", change, "--dry-run", "--cluster", "local:1")
    eventually(lambda: at_sleep(sleep), "the check runs")
    folder = str(sample.project.git_dir / "dev-agent")
    assert processes(rf"dask_host .*{folder}")
    process.kill()
    process.communicate()
    eventually(lambda: not processes(rf"(dask_host|dev_agent worker) .*{folder}"), "host and worker ended")
    eventually(lambda: not at_sleep(sleep), "the sandbox ended")


def test_a_campaign_has_one_cluster_for_all_its_repositories_and_none_is_left_of_a_killed_one(
    tmp_path: Path,
) -> None:
    """Both are judged at a time, neither sees the other or the campaigns; killed, and taken up again."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    places = [waiting_sample(folder) for folder in folders]
    roots = [one.project.root for one in places]
    kept = tmp_path / "campaigns"
    (tmp_path / "list.txt").write_text("".join(f"{root} branch=topic\n" for root in roots))
    hidden = f"ls -d {roots[0]} {roots[1]} {kept} > seen 2> nothing\ntest $(wc -l < seen) = 1 || exit 1\n"
    change = patch(places[0], "wait.sh", "true\n", f"{hidden}sleep 600126\ntrue\n")
    common = ("campaign", "--cluster", "local:2", "--campaigns", str(kept), "--json")
    listed = ("Wait", "--repos", str(tmp_path / "list.txt"), "--patch", change)
    process = start(places[0], *common, *listed)
    eventually(lambda: len(processes("^sleep 600126 $")) == 2, "both are judged at the same time")
    assert len(started(rf"dask_host .*{kept}")) == 1
    assert len(started(rf"dev_agent worker .*{kept}")) == 2
    for key in (kept / "judges/tmp").rglob("key.pem"):
        assert (key.stat().st_mode & 0o077, key.parent.stat().st_mode & 0o077) == (0, 0)

    process.kill()
    process.communicate()
    ours = rf"(dask_host|dev_agent worker|surfaces.child) .*{tmp_path}"
    eventually(lambda: not processes(ours) and not processes("^sleep 600126 $"), "everything ended")

    again = start(places[0], *common, "--resume")
    eventually(lambda: len(processes("^sleep 600126 $")) == 2, "both are judged again")
    for pid in processes("^sleep 600126 $"):
        os.kill(pid, signal.SIGKILL)
    said, stderr = again.communicate(timeout=120)
    assert again.returncode == 0, stderr
    assert [row["fate"] for row in json.loads(said)["repositories"]] == ["landed", "landed"]
    for one in places:
        (trace,) = (one.project.git_dir / "dev-agent/runs").glob("*/trace.jsonl")
        assert '"worker":"local-' in trace.read_text()
        assert not list((one.project.git_dir / "dev-agent").glob("cluster"))
    assert not processes(ours)
    assert not list((kept / "judges/tmp").iterdir())


def test_a_queue_is_judged_through_one_connection_and_lands(sample: Sample, workers: Cluster) -> None:
    project = sample.project
    project.git("checkout", "-q", "-b", "topic")
    project.write("src/acme/more.py", b"MORE: int = 1\n")
    project.git("add", "src/acme/more.py")
    project.git("commit", "-q", "-m", "topic")
    project.git("checkout", "-q", "main")
    tip = project.git("rev-parse", "main")
    code, said, stderr = run(sample, "queue", "topic", "--into", "main", "--json", "--cluster", workers.url)
    assert code == 0, stderr
    assert [one["fate"] for one in json.loads(said)["heads"]] == ["landed"]
    runs = sorted((project.git_dir / "dev-agent/runs").iterdir())
    assert '"judged_by"' in (runs[-1] / "trace.jsonl").read_text()
    project.git("reset", "-q", "--hard", tip)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--cluster", "tcp://127.0.0.1:1"), 3, "no scheduler answers at tcp://127.0.0.1:1"),
        (("--cluster", "local:1", "--sandbox", "off"), 2, "do not go together"),
        (("--cluster", "nonsense"), 2, "--cluster 'nonsense'"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_said_before_there_is_a_run(
    sample: Sample, options: tuple[str, ...], code: int, said: str
) -> None:
    runs = sample.project.git_dir / "dev-agent/runs"
    before = sorted(runs.iterdir()) if runs.exists() else []
    change = patch(sample, "wait.sh", "true\n", "true \n")
    ended, _, stderr = run(sample, "apply", "Wait", "--patch", change, *options)
    assert (ended, said in stderr) == (code, True), stderr
    assert (sorted(runs.iterdir()) if runs.exists() else []) == before


def test_without_a_cluster_nothing_of_the_engine_is_imported(sample: Sample) -> None:
    change = patch(sample, "wait.sh", "true\n", "true  \n")
    # What a cluster left behind is looked through by whoever keeps the disk in order.
    shutil.rmtree(sample.project.git_dir / "dev-agent/cluster", ignore_errors=True)
    program = (
        "import sys; from dev_agent.__main__ import main\n"
        f"sys.argv = ['dev-agent', 'apply', 'Wait', '--patch', {change!r}, '--dry-run', '-q']\n"
        "code = main()\n"
        "found = [one for one in sys.modules if one.partition('.')[0] in ('dask', 'distributed', 'tornado')]\n"
        "assert not found, found\n"
        "assert not [one for one in sys.modules if one.startswith('dev_agent.cluster')]\n"
        "sys.exit(code)\n"
    )
    environ = {**sample.project.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=sample.project.root,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
