"""The benchmarks measure what they say: fair turns, honest medians, and nothing that was not measured passes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import GROUPS, main, measured_rows
from benchmarks.bench import Bench, environment
from benchmarks.measure import Clock, Pairs, Sample, Side, interleaved, measured, median
from benchmarks.row import at_least, compared, limited, not_measured
from benchmarks.table import table
from benchmarks.typed_project import make_typed_project


def pairs(ours: list[float], theirs: list[float]) -> Pairs:
    return Pairs(
        ours=tuple(Sample(cpu=value, wall=value * 2) for value in ours),
        theirs=tuple(Sample(cpu=value, wall=value * 2) for value in theirs),
    )


def test_two_sides_take_turns_and_so_does_the_first_of_a_pair() -> None:
    done: list[str] = []
    ours = Side(work=lambda: done.append("ours"), before=lambda: done.append("before ours"))
    both = interleaved(ours, Side(work=lambda: done.append("theirs")), 3)
    assert done == [
        "before ours", "ours", "theirs", "theirs", "before ours", "ours", "before ours", "ours", "theirs",
    ]  # fmt: skip
    assert len(both.ours) == len(both.theirs) == 3


def test_the_cpu_time_of_children_counts_and_preparing_does_not(tmp_path: Path) -> None:
    bench = Bench(
        folder=tmp_path, rounds=1, quick=True, large=False, project=None, environ=environment(tmp_path)
    )

    def busy() -> None:
        bench.run("python3", "-c", "sum(range(3_000_000))", cwd=tmp_path)

    idle = measured(Side(work=lambda: None, before=busy))
    assert measured(Side(work=busy)).cpu > 2 * idle.cpu


def test_a_median_is_not_moved_by_one_slow_round() -> None:
    assert median(pairs([1, 2, 900], [1, 1, 1]).ours, Clock.CPU) == 2
    assert pairs([1, 2, 9], [1, 1, 3]).spread(Clock.WALL) == (1, 3)


@pytest.mark.parametrize(
    ("ours", "theirs", "allowance", "met"),
    [(49, 100, 0, True), (51, 100, 0, False), (59, 100, 10, True), (61, 100, 10, False)],
)
def test_a_goal_is_met_up_to_its_factor_and_allowance(
    ours: float, theirs: float, allowance: float, met: bool
) -> None:
    row = compared("r", "r", pairs([ours], [theirs]), theirs="x", at_most=0.5, allowance=allowance)
    assert row.met is met


def test_limits_hold_in_their_direction() -> None:
    assert [limited("r", "r", value, at_most=8, unit="").met for value in (8, 9)] == [True, False]
    assert [at_least("r", "r", value, goal=8, unit="").met for value in (8, 7)] == [True, False]


def test_what_was_not_measured_is_no_pass_and_says_why() -> None:
    row = not_measured("r", "append", "nano-vm-mcp could not be installed")
    assert row.met is None
    assert "not measured" in table([row])
    assert "could not be installed" in table([row])


def test_a_group_that_fails_is_a_row_that_was_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_bench: Bench) -> list[object]:
        raise RuntimeError("git ended with status 1")

    monkeypatch.setitem(GROUPS, "startup", broken)
    bench = Bench(folder=tmp_path, rounds=1, quick=True, large=False, project=None, environ={})
    (row,) = measured_rows(bench, "startup")
    assert (row.met, row.note) == (None, "git ended with status 1")


def test_one_row_is_measured_for_real_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--json", "--row", "startup", "--folder", str(tmp_path)]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["rows"]] == ["startup-version", "startup-help"]
    assert set(told["noise"]) == {"cpu", "wall"}
    assert list(tmp_path.iterdir()) == []


def test_recording_a_commit_is_measured_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--row", "staging-commit", "--folder", str(tmp_path)]) in (0, 1)
    shown = capsys.readouterr().out
    assert "git add -A && git commit" in shown
    assert "not measured" not in shown
    assert "Noise:" in shown


def test_deciding_about_a_patch_is_measured_for_real(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--json", "--row", "policy", "--folder", str(tmp_path)]) in (0, 1)
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["name"] == "policy-decision"
    assert float(row["ours"].split()[0]) > 0


def test_the_made_project_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (make_typed_project(tmp_path / name, modules=12) for name in ("a", "b"))
    made = sorted(path.relative_to(first) for path in first.rglob("*.py"))
    assert len(made) == 25
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in made)
