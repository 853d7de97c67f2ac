"""Where the git dir is, what HEAD is, and how refs, index and objects are stored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault
from dev_agent.programs.folders import all_runs
from dev_agent.programs.report import Outcome
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Shop
from tests.programs.shapes.scene import (
    MODIFY,
    SMALL,
    applied,
    at,
    lands,
    proposing,
    refuses,
    shop_of,
    tree_with,
)
from tests.testing.repos import isolated_environ, make_repository

CHANGE = {"a.txt": b"ours\n", "src/c.py": None, "new/e": b"e\n"}


def test_in_a_linked_worktree_the_change_lands_there_only(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = at(shop, tmp_path / "linked")
    head = shop.head()
    report = lands(linked, CHANGE)
    assert (linked.head(), shop.head(), report.branch) == (report.commit, head, "side")
    assert shop.status() == ""
    assert (shop.root / "a.txt").read_bytes() == b"one\n"
    assert linked.undo(report.run).outcome is Outcome.COMMITTED
    assert (linked.root / "a.txt").read_bytes() == b"one\n"


def test_a_branch_checked_out_in_two_worktrees_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.git("worktree", "add", "-q", "-f", str(tmp_path / "twin"), "main")
    _refused_early(shop, "branch-checked-out-twice")


def test_another_branch_that_some_worktree_has_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.project.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    _refused_early(shop, "branch-checked-out-elsewhere", branch="side")


def _refused_early(shop: Shop, code: str, **more: object) -> None:
    patch, before = proposing(shop.project, MODIFY), shop.project.snapshot()
    with pytest.raises(RepositoryFault) as caught:
        shop.apply(patch, **more)  # type: ignore[arg-type]  # keywords of the driver
    assert caught.value.code == code
    assert shop.project.snapshot() == before
    assert all_runs(shop.repository()) == ()


def test_on_a_detached_head_the_head_moves_and_no_branch_does(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    main = shop.head()
    shop.project.git("checkout", "-q", "--detach")
    report = lands(shop, CHANGE)
    assert (shop.head(), shop.project.git("rev-parse", "main")) == (report.commit, main)
    assert shop.project.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    assert shop.undo(report.run).outcome is Outcome.COMMITTED


def test_on_an_unborn_branch_the_change_is_the_first_commit(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {})
    patch = proposing(shop.project, {"a.txt": b"one\n", "src/b.py": b"B = 1\n"}, base="")
    report = shop.apply(patch)
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.project.git("rev-list", "--count", "HEAD") == "1"
    assert shop.status() == ""


def test_where_git_shows_another_commit_for_the_base_nothing_lands(tmp_path: Path) -> None:
    """The files are those of the replacement: what it differs in would be left in the index as a change of theirs."""
    shop = shop_of(tmp_path)
    other = shop.project.git("commit-tree", tree_with(shop.project, {"b.txt": None}), "-m", "other")
    shop.project.git("replace", shop.head(), other)
    shop.project.git("reset", "-q", "--hard")
    assert not (shop.root / "b.txt").exists()
    _refused_early(shop, "replaced-objects")
    shop.project.git("config", "core.useReplaceRefs", "false")
    shop.project.git("reset", "-q", "--hard")
    lands(shop, CHANGE)


def test_where_git_shows_another_folder_for_one_of_the_base_nothing_lands(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    other = tree_with(shop.project, {"src/c.py": None})
    shop.project.git("replace", shop.project.git("rev-parse", "HEAD:src"), f"{other}:src")
    _refused_early(shop, "replaced-objects")
    shop.project.git("replace", "-d", shop.project.git("rev-parse", "HEAD:src"))
    lands(shop, CHANGE)


def test_replaced_commits_further_back_are_no_obstacle(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    first = shop.head()
    shop.project.commit("second", {"b.txt": b"2\n"})
    shop.project.git("replace", first, shop.project.git("commit-tree", "HEAD^{tree}", "-m", "other"))
    report = lands(shop, CHANGE)
    assert shop.undo(report.run).outcome is Outcome.COMMITTED


@pytest.mark.parametrize(
    "name", ["-a b\n'\"$(x)`e\\:", "two\n", "caf\u00e9\u2028\x85", os.fsdecode(b"\xff\n\xe9")]
)
def test_below_a_folder_with_any_name_the_change_lands(tmp_path: Path, name: str) -> None:
    shop = shop_of(tmp_path)
    odd = at(shop, tmp_path / name)
    shop.root.rename(odd.root)
    report = lands(odd, CHANGE)
    assert odd.undo(report.run).outcome is Outcome.COMMITTED
    assert odd.status() == ""


def test_in_a_folder_that_is_a_repository_of_its_own_files_are_added_as_git_adds_them(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {**SMALL, ".gitignore": b"ignored/\n"})
    inner = [make_repository(shop.root, {"z": b"z\n"}, name=name) for name in ("ignored", "seen")]
    before = [one.snapshot() for one in inner]
    report = applied(shop, {"ignored/n": b"n\n", "seen/n": b"n\n"})
    assert report.outcome is Outcome.COMMITTED, report
    assert [
        set(one.snapshot().items()) >= set(was.items()) for one, was in zip(inner, before, strict=True)
    ] == [True] * 2
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    assert [one.snapshot() for one in inner] == before


def test_where_names_of_files_are_not_read_as_utf8_nothing_is_begun_and_it_is_said(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    patch = tmp_path / "change.patch"
    patch.write_bytes(proposing(shop.project, {"a.txt": b"ours\n"}))
    before = shop.project.snapshot()

    def applying(utf8: str) -> subprocess.CompletedProcess[str]:
        place = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
        locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": utf8, "PYTHONPATH": place}
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "dev_agent",
                "apply",
                "t",
                "--patch",
                str(patch),
                "--policy",
                shop.policy(NO_GATES),
            ],
            cwd=shop.root,
            env={**shop.project.environ, **locale},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = applying("0")
    assert refused.returncode == 3, refused
    assert "ascii" in refused.stderr
    assert "PYTHONUTF8=1" in refused.stderr
    assert shop.project.snapshot() == before
    assert applying("1").returncode == 0


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    make_repository(tmp_path, SMALL, name="origin")
    bare = make_repository(tmp_path, bare=True)
    bare.git("fetch", "-q", str(tmp_path / "origin"), "main:main")
    shop = Shop(project=bare, policies=tmp_path / "policies")
    before = bare.snapshot()
    with pytest.raises(RepositoryFault) as caught:
        shop.apply(b"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+ours\n")
    assert caught.value.code == "bare-repo"
    assert bare.snapshot() == before


@pytest.mark.parametrize("far", [False, True], ids=["same file system", "another file system"])
def test_with_a_separate_git_dir_the_change_lands(tmp_path: Path, far: bool, other_disk: Path) -> None:
    git_dir = other_disk / "git" if far else tmp_path / "git"
    shop = shop_of(tmp_path)
    shop.project.git("init", "-q", f"--separate-git-dir={tmp_path / 'git'}")
    if far:
        shutil.move(tmp_path / "git", git_dir)
        (shop.root / ".git").write_text(f"gitdir: {git_dir}\n")
    report = lands(shop, CHANGE)
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""


@pytest.mark.parametrize("name", ["slots", "cache", "runs"])
def test_with_private_work_trees_or_caches_on_another_file_system_the_change_lands(
    tmp_path: Path, other_disk: Path, name: str
) -> None:
    shop = shop_of(tmp_path, {**SMALL, "tests/test_a.py": b"def test_a() -> None:\n    assert True\n"})
    place = shop.repository().state_dir / name
    place.parent.mkdir(exist_ok=True)
    (other_disk / name).mkdir(mode=0o700)
    place.symlink_to(other_disk / name)
    lands(shop, CHANGE, policy=TESTS_ONLY)
    lands(shop, {"a.txt": b"again\n"}, policy=TESTS_ONLY)


def test_with_all_of_our_state_on_another_file_system_nothing_lands_and_it_is_said(
    tmp_path: Path, other_disk: Path
) -> None:
    """What is to become the index or a file by a rename has to lie on their file system."""
    shop = shop_of(tmp_path)
    shop.repository().state_dir.symlink_to(other_disk)
    refuses(shop, MODIFY, "unsupported-file-system", outcome=Outcome.REJECTED)


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the work tree."""
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system to write to")
    folder = shm / f"shapes-test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


STORED: dict[str, Sequence[Sequence[str]]] = {
    "packed refs": [["pack-refs", "--all"]],
    "packed objects": [["gc", "-q"]],
    "split index": [["config", "core.splitIndex", "true"], ["update-index", "--split-index"]],
    "untracked cache": [["config", "core.untrackedCache", "true"], ["status"]],
    "index version 4": [["update-index", "--index-version", "4"]],
    "no reflogs": [["config", "core.logAllRefUpdates", "false"]],
    "sparse checkout by cones": [["sparse-checkout", "set", "--cone", "src"]],
    "sparse checkout by patterns": [["sparse-checkout", "set", "--no-cone", "/*", "!/other/"]],
    "sparse index": [["sparse-checkout", "set", "--cone", "--sparse-index", "src"]],
}


@pytest.mark.parametrize("how", STORED)
def test_however_refs_index_and_objects_are_stored_a_change_lands_and_is_undone(
    tmp_path: Path, how: str
) -> None:
    shop = shop_of(tmp_path, {**SMALL, "other/o": b"o\n"})
    for command in STORED[how]:
        shop.project.git(*command)
    hidden = _hidden(shop)
    report = lands(shop, {"a.txt": b"ours\n", "src/deep/d.py": b"FIVE = 5\n", "src/new.py": b"N = 1\n"})
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""
    assert _hidden(shop) == hidden


def test_with_a_file_system_monitor_the_change_lands_and_is_seen(tmp_path: Path) -> None:
    """It says that nothing changed since it was last asked: git believes it, and must not be misled by us."""
    shop = shop_of(tmp_path)
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\necho asked >>{tmp_path}/asked\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    shop.project.git("config", "core.fsmonitor", str(monitor))
    shop.project.git("update-index", "--fsmonitor")
    assert shop.status() == ""
    assert (tmp_path / "asked").exists()
    report = lands(shop, CHANGE)
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""
    shop.project.git("config", "--unset", "core.fsmonitor")
    assert shop.status() == ""


def _hidden(shop: Shop) -> list[str]:
    return [row for row in shop.project.git("ls-files", "-t").splitlines() if row.startswith("S")]


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
@pytest.mark.parametrize("change", [{"other/o": b"ours\n"}, {"other/new": b"n\n"}], ids=["changed", "new"])
def test_a_path_outside_of_a_sparse_checkout_keeps_the_change(
    tmp_path: Path, cone: str, change: dict[str, bytes]
) -> None:
    shop = shop_of(tmp_path, {**SMALL, "other/o": b"o\n"})
    patterns = ["src"] if cone == "--cone" else ["/*", "!/other/"]
    shop.project.git("sparse-checkout", "set", cone, *patterns)
    kept = refuses(shop, change, "sparse-overlap", *change)
    shop.project.git("sparse-checkout", "disable")
    assert shop.resume(kept.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""


def test_a_sha256_repository_lands(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    project = make_repository(tmp_path, SMALL, object_format="sha256")
    shop = Shop(project=project, policies=tmp_path / "policies")
    report = shop.apply(b"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+ours\n")
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.status() == ""


def test_refs_in_a_reftable_are_moved_by_git_alone(tmp_path: Path) -> None:
    environ = isolated_environ(tmp_path / "home")
    made = subprocess.run(
        ["git", "init", "-q", "-b", "main", "--ref-format=reftable", str(tmp_path / "project")],
        env=environ,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this git has no reftable (2.45 and later have)")
    (tmp_path / "policies").mkdir()
    project = make_repository(tmp_path / "plain", SMALL)
    project = replace(project, root=tmp_path / "project", environ=environ)
    project.commit("first", SMALL)
    report = applied(Shop(project=project, policies=tmp_path / "policies"), CHANGE)
    assert report.outcome is Outcome.COMMITTED, report
    assert project.git("status", "--porcelain") == ""
