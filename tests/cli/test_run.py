"""`dev-agent run -- COMMAND` as people call it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_scenarios import CONFIG, CONTRACT, TESTS, TINY, answered, dev_agent, drained
from tests.testing.machine import needs_namespaces
from tests.testing.repos import Project, make_repository


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """A typed module with one test, judged in the environment the tests run in."""
    project = make_repository(tmp_path, {"pyproject.toml": CONFIG, "tiny.py": TINY, "test_tiny.py": TESTS})
    return project.with_environ(VIRTUAL_ENV=sys.prefix)


@needs_namespaces
def test_a_program_s_work_lands_beside_what_the_user_is_doing(tiny: Project) -> None:
    (tiny.root / "mine.txt").write_text("unfinished")
    args = ("--json", "--", "sed", "-i", "s/number + number/2 * number/", "tiny.py")
    done = dev_agent(tiny, "run", *args)
    assert done.returncode == 0, done.stderr.decode()
    result = answered(done)
    assert set(result) == CONTRACT
    assert (result["outcome"], result["files"]) == ("committed", ["tiny.py"])
    assert tiny.git("log", "-1", "--format=%s") == "sed -i 's/number + number/2 * number/' tiny.py"
    assert tiny.git("status", "--porcelain") == "?? mine.txt"
    assert dev_agent(tiny, "verify", "last").returncode == 0


@needs_namespaces
def test_a_program_that_breaks_a_test_changes_nothing(tiny: Project) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "run", "--task", "Break it", "--", "sed", "-i", "s/+ number/+ 3/", "tiny.py")
    assert done.returncode == 1, done.stderr.decode()
    assert b"New in tests:" in done.stdout
    assert tiny.snapshot() == before


@needs_namespaces
def test_a_failing_program_is_quoted_and_its_escapes_are_not_obeyed(tiny: Project) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "run", "--", "sh", "-c", "printf 'no \\033[2J way\\n'; exit 7")
    assert done.returncode == 1, done.stderr.decode()
    assert b"way" in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Rejected: sh ended with status 7" in done.stdout
    assert tiny.snapshot() == before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "COMMAND"),
        (("--network", "--", "true"), "no network"),
        (("--", ""), "no command"),
        (("-i",), "-i"),
    ],
)
def test_what_cannot_be_run_is_a_usage_error(tiny: Project, args: tuple[str, ...], said: str) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "run", *args)
    assert (done.returncode, said in done.stderr.decode()) == (2, True), done.stderr.decode()
    assert tiny.snapshot() == before


@needs_namespaces
def test_control_c_ends_program_and_run_and_leaves_nothing(tiny: Project) -> None:
    before = tiny.snapshot()
    # What it says comes out only when it has ended, so its progress line tells that it is at work.
    process = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "run", "--json", "--", "sh", "-c", "echo x > new; sleep 300"],
        cwd=tiny.root,
        env=dict(tiny.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for row in process.stderr:
        if b'"state": "patch"' in row:
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 130, out
    assert tiny.snapshot() == before


@needs_namespaces
def test_a_terminal_shows_that_a_long_program_is_at_work(tiny: Project) -> None:
    """The clock of its line goes on while it works. It works until that has been seen."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "run", "--dry-run", "--", "sleep", "300"],
        cwd=tiny.root,
        env={**tiny.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    live = b""
    while len(ticks(live)) < 3:
        live += os.read(ours, 65_536)  # fails once the terminal is closed
    child.send_signal(signal.SIGINT)
    drained(ours)
    child.communicate(timeout=300)
    assert child.returncode == 130, live


def ticks(live: bytes) -> set[str]:
    """The times that were shown beside the program at work."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", live.decode(errors="replace"))
    return set(re.findall(r"patch +\S+ +([0-9.]+) s", plain))
