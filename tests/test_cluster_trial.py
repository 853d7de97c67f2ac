"""What the trial of a cluster judges by: it sees what is left over, and what was decided wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.trial.leftovers import left_over
from benchmarks.trial.network import NoNamespaces, network
from benchmarks.trial.processes import MARK, TooLong, start, until
from benchmarks.trial.projects import git
from benchmarks.trial.work import Queue, put_back, read_end


def repository(folder: Path) -> Path:
    """A project as the trial prepares them, without an environment."""
    place = folder / "project"
    (place / ".venv").mkdir(parents=True)
    (place / "testing").mkdir()
    (place / ".gitignore").write_text(".venv/\n")
    (place / "TRIAL").write_text("good a.py\n")
    (place / "testing/test_a.py").write_text("def test_a() -> None:\n    pass\n")
    git(place, "init", "-q", "-b", "main")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "base")
    (place / ".venv/.ready").write_text(git(place, "rev-parse", "HEAD"))
    return place


def test_everything_that_may_be_left_over_is_seen(tmp_path: Path) -> None:
    place, folder, temporary = repository(tmp_path), tmp_path / "trial", tmp_path / "trial/tmp"
    temporary.mkdir(parents=True)
    assert left_over(folder, temporary, [place]) == ()
    environ = {"PATH": os.environ["PATH"], MARK: str(folder)}
    left = start("left", ("sleep", "600"), environ=environ, logs=folder, cwd=folder)
    (temporary / "forgotten").write_text("x")
    (place / "TRIAL").write_text("changed\n")
    (place / ".git/index.lock").touch()
    try:
        until(lambda: bool(left_over(folder, temporary, [])[1:]), "the process runs", seconds=300)
        said = "\n".join(left_over(folder, temporary, [place]))
    finally:
        left.kill()
    for wanted in (
        f"a process: {left.popen.pid} ",
        "forgotten",
        "the index is locked",
        "work tree was changed",
    ):
        assert wanted in said


def test_a_process_is_busy_while_it_has_children_and_ends_when_told(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"]}
    code = "import subprocess, sys; subprocess.run(['sleep', '600'])"
    process = start("p", (sys.executable, "-c", code), environ=environ, logs=tmp_path, cwd=tmp_path)
    until(process.busy, "it has a child", seconds=300)
    with pytest.raises(TooLong, match="p had not ended"):
        process.wait(0)
    assert not process.alive
    assert not process.busy()


@pytest.mark.parametrize("begun", [True, False], ids=["once it runs", "while it is being started"])
def test_a_process_of_the_trial_dies_with_it(tmp_path: Path, begun: bool) -> None:
    runs = (
        sys.executable,
        "-c",
        f"open({str(tmp_path / 'runs')!r}, 'x').close(); import time; time.sleep(600)",
    )
    code = (
        "import os, signal, time\nfrom pathlib import Path\nfrom benchmarks.trial.processes import start\n"
        f"here = Path({str(tmp_path)!r})\n"
        f"one = start('p', {runs!r}, environ=dict(os.environ), logs=here, cwd=here)\n"
        "(here / 'pid').write_text(str(one.popen.pid))\n"
        f"while {begun} and not (here / 'runs').exists(): time.sleep(0.01)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run((sys.executable, "-c", code), check=False, cwd=Path(__file__).parents[1])
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not _lives(pid), "the process has ended", seconds=300)
    assert (tmp_path / "runs").exists() or not begun


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_what_a_queue_says_is_held_against_the_branch(tmp_path: Path) -> None:
    place = repository(tmp_path)
    queue = Queue(repository=place, count=2, failing=frozenset(), clash=(8, 9))
    queue.make_ready()
    git(place, "merge", "-q", "--no-ff", "-m", "Merge head-0", "head-0")
    landed = git(place, "rev-parse", "main")
    ended = {
        "heads": [
            {"name": "head-0", "fate": "landed", "commit": landed, "run": "r0"},
            {"name": "head-1", "fate": "ejected", "commit": None, "run": "r1"},
        ]
    }
    assert queue.facts(ended, None) == {"head-0": "landed", "head-1": "ejected"}
    assert queue.runs(ended) == [(place, "r0"), (place, "r1")]
    with pytest.raises(AssertionError, match="decided twice"):
        queue.facts({"heads": ended["heads"] * 2}, None)
    git(place, "merge", "-q", "--no-ff", "-m", "Nobody said so", "head-1")
    with pytest.raises(AssertionError, match="main has the commits"):
        queue.facts(ended, None)
    put_back(place)
    assert git(place, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(place, "status", "--porcelain") == ""


@pytest.mark.parametrize("said", ["", "{}\n{}", "[]", "Traceback"])
def test_anything_but_one_object_is_no_end(tmp_path: Path, said: str) -> None:
    (tmp_path / "out").write_text(said)
    with pytest.raises(AssertionError, match="JSON object"):
        read_end(tmp_path / "out")


def test_without_root_it_is_said_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoNamespaces, match="run this as root"), network("da-trial-none"):
        pass
