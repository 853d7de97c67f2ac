"""The command `queue` as a user runs it: killed in the middle and taken up again, watched, refused, looked ahead."""

from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cli.output.page import Page
from dev_agent.cli.output.terminal import Terminal
from dev_agent.cli.pages.queue import queue_page, table_lines
from dev_agent.cli.queue_watching import PlainWatcher
from dev_agent.programs.queueing.events import Blocked, Judged, Opened
from dev_agent.programs.queueing.model import Item, Verdict
from dev_agent.programs.queueing.queue import QueueReport
from dev_agent.programs.queueing.step import opened, step
from tests.programs.conftest import FILES, TESTS_ONLY
from tests.testing.repos import Project, make_repository


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_repository(tmp_path, FILES).with_environ(VIRTUAL_ENV=sys.prefix)
    for name in ("a", "b", "c"):
        made.git("checkout", "--quiet", "-b", name, "main")
        made.commit(name, {f"src/shop/{name}.py": f"{name.upper()}: int = 1\n".encode()})
        made.git("checkout", "--quiet", "main")
    (tmp_path / "policy.toml").write_text(TESTS_ONLY)
    return made


def command(project: Project, *args: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    environ = {**project.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "queue", *args],
        cwd=project.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def test_killed_in_the_middle_and_taken_up_again_it_lands_the_rest_and_nothing_twice(
    project: Project, tmp_path: Path
) -> None:
    policy = str(tmp_path / "policy.toml")
    # A pipe for one write at a time: however slowly we read, it is never more than a word ahead of us.
    reading, writing = os.pipe2(os.O_DIRECT)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
    words = ("a", "b", "c", "--jobs", "1", "--max-batch", "1", "--policy", policy, "--json")
    first = command(project, *words, stderr=writing)
    os.close(writing)
    assert first.stdout
    with os.fdopen(reading, "rb") as progress:
        for row in progress:
            if json.loads(row)["event"] == "landed":
                break
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    first.stdout.close()
    landed = int(project.git("rev-list", "--first-parent", "--count", "main")) - 1
    assert 1 <= landed < 3
    refused, said = _answer(command(project, "b", "--json"))
    assert (refused, "is not finished" in said["error"]["message"]) == (2, True)
    code, report = _answer(command(project, "--resume", "--json"))
    assert code == 0
    assert [(one["name"], one["fate"]) for one in report["heads"]] == [
        ("a", "landed"),
        ("b", "landed"),
        ("c", "landed"),
    ]
    assert project.git("log", "--first-parent", "--format=%s", "main").splitlines() == [
        "Merge c",
        "Merge b",
        "Merge a",
        "first",
    ]
    assert project.git("status", "--porcelain") == ""
    assert report["tip"] == project.git("rev-parse", "main")


def test_a_look_ahead_has_the_exit_code_of_what_it_found(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "clash", "main")
    project.commit("clash", {"src/shop/a.py": b"A: int = 2\n"})
    project.git("checkout", "--quiet", "main")
    code, said = _answer(command(project, "--dry-run", "a", "clash", "--json"))
    assert code == 1
    assert [one["merges"] for one in said["heads"]] == ["merges", "conflict"]


def test_resume_takes_no_heads(project: Project) -> None:
    code, said = _answer(command(project, "--resume", "a", "--json"))
    assert (code, said["error"]["kind"]) == (2, "usage")


def _answer(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any]]:
    out, err = process.communicate()
    assert out, err
    return process.returncode, json.loads(out)


# ---- what is shown, of states that need no repository


def text(page: Page) -> str:
    return "\n".join(one.text for one in page.lines)


OPENED = Opened(
    tip="c" * 40,
    items=tuple(Item(number=n, name=f"topic-{n}\x1b[31m", commit=f"{n:040x}") for n in range(20)),
    jobs=2,
    max_batch=2,
)


def test_a_table_shows_the_line_and_who_is_next_and_obeys_no_name() -> None:
    state, _ = opened(OPENED)
    shown = [one.text for one in table_lines(state)]
    assert shown[0] == "0 of 20 heads decided, 0 judgements"
    assert shown[1].startswith("  composing  topic-0")
    assert shown[-1] == "  … and 12 more"
    assert "\x1b" not in "".join(shown)


def test_a_log_says_each_verdict_with_its_reason(pipe: Callable[..., Terminal]) -> None:
    terminal = pipe()
    state, _ = opened(OPENED)
    event = Judged(attempt=9, commit="a" * 40, parent="b" * 40, verdict=Verdict.RED, reason="1 new \x1btest")
    PlainWatcher(terminal).happened(event, state)
    raw = terminal.stream.buffer
    assert isinstance(raw, io.BytesIO)
    said = raw.getvalue().decode()
    assert said.startswith("red         judged aaaaaaaaaaaa on bbbbbbbbbbbb  1 new ")
    assert "\x1b" not in said


def test_a_queue_that_stopped_says_how_to_go_on() -> None:
    state, _ = step(opened(OPENED)[0], Blocked(reason="files are in the way"))
    report = QueueReport(queue="q", into="main", state=state, refused=True)
    assert report.exit_code == 6
    assert "files are in the way. Mend that, then: dev-agent queue --resume --into main" in text(
        queue_page(report)
    )
    assert len(report.to_json()["undecided"]) == 20
