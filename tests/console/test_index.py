"""The rows of the console: read once, read again when a trace changed, and never hidden by one that cannot be read."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from dev_agent.console.choosing import Choice, by_day, spent, values
from dev_agent.console.index import Row, RunIndex
from dev_agent.programs.folders import runs_dir
from dev_agent.repository.discovery import Repository, discover
from tests.cli.test_scenarios import GOOD, WRONG, dev_agent, tiny, tiny_project
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture


@pytest.fixture(scope="module")
def looked_at_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A repository with two runs; its tests copy it."""
    project = tiny_project(tmp_path_factory.mktemp("two-runs"))
    dev_agent(project, "apply", "Double by product", "--patch", "-", stdin=GOOD)
    wrong = WRONG.replace("number + number", "2 * number")
    dev_agent(project, "apply", "Treble <b>it</b>", "--patch", "-", stdin=wrong)
    return project


@pytest.fixture
def looked_at(looked_at_once: Project, tmp_path: Path) -> Repository:
    root = tmp_path / "project"
    shutil.copytree(looked_at_once.root, root, symlinks=True)
    return discover(root, looked_at_once.environ)


def test_rows_are_what_the_traces_say_and_are_read_once(looked_at: Repository) -> None:
    read: list[int] = []
    first = RunIndex(looked_at).rows(lambda _done, everything: read.append(everything))
    again = RunIndex(looked_at).rows(lambda _done, everything: read.append(everything))

    assert [(row.outcome, row.task) for row in first] == [
        ("rejected", "Treble <b>it</b>"),
        ("committed", "Double by product"),
    ]
    assert (first[1].program, first[1].proposer, first[1].files) == ("apply", "patch", 1)
    assert again == first
    assert read == [2, 2]


def test_a_changed_trace_is_read_again_and_a_pruned_run_is_gone(looked_at: Repository) -> None:
    first = RunIndex(looked_at).rows()
    folder = runs_dir(looked_at)
    trace = folder / first[0].run / "trace.jsonl"
    trace.write_bytes(trace.read_bytes()[:-20])
    shutil.rmtree(folder / first[1].run)

    (row,) = RunIndex(looked_at).rows()

    assert row.run == first[0].run
    assert row.outcome != first[0].outcome


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\xfe", b"[1]\n", b'{"v":99}\n' * 3])
def test_a_trace_that_cannot_be_read_is_a_row_that_says_so_beside_the_others(
    looked_at: Repository, content: bytes
) -> None:
    strange = runs_dir(looked_at) / "20991122-000000000-ffffffff"
    strange.mkdir()
    (strange / "trace.jsonl").write_bytes(content)
    rows = RunIndex(looked_at).rows()
    assert [row.outcome for row in rows] == ["damaged", "rejected", "committed"]
    assert rows[0].reason


@pytest.mark.parametrize(
    "memory", ["", "{", "[]", '{"format": "x", "rows": []}', '{"format": "console-1", "rows": [3]}']
)
def test_a_memory_that_is_none_is_made_anew(looked_at: Repository, memory: str) -> None:
    first = RunIndex(looked_at).rows()
    path = looked_at.state_dir / "cache" / "console" / "runs.json"
    path.write_text(memory)
    assert RunIndex(looked_at).rows() == first
    assert json.loads(path.read_text())["rows"][0]["run"] == first[0].run


def test_a_repository_without_runs_has_no_rows_and_gets_no_file(tiny: Project, tmp_path: Path) -> None:
    repository = discover(tiny.root, tiny.environ)
    before = tiny.snapshot()
    assert RunIndex(repository).rows() == ()
    assert tiny.snapshot() == before
    assert not (repository.state_dir / "cache" / "console").exists()


ROWS = (
    Row(
        run="a",
        started="2026-11-20T10:00:00Z",
        outcome="committed",
        program="apply",
        task="Fix tax",
        cost={"ms": 5},
    ),
    Row(
        run="b",
        started="2026-11-20T11:00:00Z",
        outcome="rejected",
        program="solve",
        proposer="m",
        cost={"money": 7},
    ),
    Row(run="c", started="2026-11-22T10:00:00Z", outcome="verified", program="check", task="fix total"),
    Row(run="d", reason="not a trace"),
)


@pytest.mark.parametrize(
    ("choice", "runs"),
    [
        (Choice(), "abcd"),
        (Choice(outcomes=frozenset({"committed", "verified"})), "ac"),
        (Choice(programs=frozenset({"solve"})), "b"),
        (Choice(proposers=frozenset({"m"})), "b"),
        (Choice(since=date(2026, 11, 21)), "c"),
        (Choice(until=date(2026, 11, 20)), "ab"),
        (Choice(words="FIX t"), "ac"),
        (Choice(words="fix tax"), "a"),
        (Choice(words="trace not"), "d"),
    ],
)
def test_what_a_person_chooses_is_what_they_see(choice: Choice, runs: str) -> None:
    assert "".join(row.run for row in ROWS if choice.takes(row)) == runs


def test_days_add_up_and_a_run_without_a_day_is_in_none() -> None:
    days = by_day(ROWS)
    assert [(one.day.day, one.runs, one.good, one.ms, one.money) for one in days] == [
        (20, 2, 1, 5, 7),
        (22, 1, 1, 0, 0),
    ]
    assert values(ROWS, "program") == ["apply", "check", "solve"]


def test_a_cost_that_is_not_known_is_never_told_as_nothing() -> None:
    known = Row(run="a", cost={"model_calls": 1, "money": 4_200, "money_known": 4_200, "unpriced_calls": 0})
    unknown = Row(run="b", cost={"model_calls": 1, "money_known": 0, "unpriced_calls": 1})

    assert spent([known]).money == "$0.0042"
    assert spent([known, unknown]).money == "at least $0.0042"
    assert spent([unknown]).money == "unknown"
    assert spent([Row(run="c", cost={"ms": 5})]).calls == 0
