"""`dev-agent check` as people and hooks call it: one thing judged, exit codes, nothing touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.test_scenarios import CONFIG, CONTRACT, GOOD, TESTS, TINY, UNTYPED, WRONG, answered, dev_agent
from tests.testing.repos import Project, make_repository


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """A typed module with one test, judged in the environment the tests run in."""
    project = make_repository(tmp_path, {"pyproject.toml": CONFIG, "tiny.py": TINY, "test_tiny.py": TESTS})
    return project.with_environ(VIRTUAL_ENV=sys.prefix)


def test_good_work_is_verified_wherever_it_stands(tiny: Project) -> None:
    tiny.write("tiny.py", TINY.replace(b"number + number", b"2 * number"))
    before = tiny.snapshot()
    done = dev_agent(tiny, "check", "--worktree", "--json")
    assert done.returncode == 0, done.stderr.decode()
    result = answered(done)
    assert set(result) == CONTRACT
    assert (result["outcome"], result["files"], result["branch"]) == ("verified", ["tiny.py"], None)
    assert tiny.snapshot() == before

    tiny.git("add", "tiny.py")
    before = tiny.snapshot()
    done = dev_agent(tiny, "check", "--staged")
    assert done.returncode == 0, done.stderr.decode()
    assert b"nothing was landed" in done.stdout
    assert tiny.snapshot() == before

    tiny.git("commit", "--quiet", "-m", "double")
    before = tiny.snapshot()
    result = answered(dev_agent(tiny, "check", "HEAD~1..HEAD", "--json"))
    assert (result["outcome"], result["commit"]) == ("verified", tiny.git("rev-parse", "HEAD"))
    assert (dev_agent(tiny, "verify", "last").returncode, tiny.snapshot()) == (0, before)
    listed = [run["task"] for run in answered(dev_agent(tiny, "runs", "--json"))["runs"]]
    assert listed == ["check HEAD~1..HEAD", "check what is staged", "check the work tree"]


@pytest.mark.parametrize(("patch", "gate"), [(WRONG, "tests"), (UNTYPED, "types")])
def test_a_bad_patch_is_rejected_with_its_failures(tiny: Project, patch: str, gate: str) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "check", "--patch", "-", stdin=patch)
    assert done.returncode == 1, done.stderr.decode()
    assert tiny.snapshot() == before
    assert f"New in {gate}:" in done.stdout.decode()


def test_nothing_to_judge_is_no_failure(tiny: Project) -> None:
    for what in ("--staged", "--worktree", "HEAD..HEAD"):
        assert (done := dev_agent(tiny, "check", what)).returncode == 0
        assert b"No change: nothing differs from the base" in done.stdout


def test_a_verdict_on_the_work_tree_says_which_new_files_it_is_not_about(tiny: Project) -> None:
    """The test somebody just wrote has not passed because `check --worktree` did."""
    tiny.write("test_new.py", b"def test_new() -> None:\n    assert False\n")
    os.close(os.open(os.fsencode(tiny.root) + b"/n\xfcw", os.O_CREAT))
    before = tiny.snapshot()
    done = dev_agent(tiny, "check", "--worktree")
    said = " ".join(done.stdout.decode().split())
    assert (done.returncode, tiny.snapshot()) == (0, before), done.stderr.decode()
    assert "not judged, because git does not track it yet:" in said
    assert "test_new.py" in said
    assert "--worktree --untracked" in said
    again = dev_agent(tiny, "check", "--worktree", "--untracked")
    assert (again.returncode, b"not judged" in again.stdout) == (1, False), again.stderr.decode()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "say what to judge"),
        (("--staged", "--worktree"), "only one thing"),
        (("HEAD~1..HEAD", "--staged"), "only one thing"),
        (("--untracked",), "--worktree"),
        (("--untracked", "--staged"), "--worktree"),
        (("HEAD",), "not a range"),
        (("nowhere..HEAD",), "no commit 'nowhere'"),
        (("--patch", "absent.patch"), "cannot be read"),
    ],
)
def test_what_cannot_be_judged_is_a_usage_error(tiny: Project, args: tuple[str, ...], said: str) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "check", *args)
    assert (done.returncode, said in done.stderr.decode()) == (2, True), done.stderr.decode()
    assert tiny.snapshot() == before
    assert b"no runs" in dev_agent(tiny, "show", "last").stderr


def test_a_subfolder_judges_the_whole_repository(tiny: Project) -> None:
    tiny.write("inner/other.py", b"x: int = 1\n")
    tiny.git("add", "inner/other.py")
    tiny.git("commit", "--quiet", "-m", "inner")
    tiny.write("tiny.py", TINY.replace(b"number + number", b"3 * number"))
    done = dev_agent(tiny, "check", "--worktree", "--json", "-C", "inner")
    assert (done.returncode, answered(done)["files"]) == (1, ["tiny.py"])


def test_a_good_patch_on_standard_input_is_verified(tiny: Project) -> None:
    done = dev_agent(tiny, "check", "--patch", "-", "--quiet", stdin=GOOD)
    assert (done.returncode, done.stderr) == (0, b"")
