from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.sandbox.identity import Identity
from dev_agent.sandbox.ownership import hand_over
from dev_agent.sandbox.scratch import copy_tree, folder, remove_tree, sweep


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    (top / "folder" / "empty").mkdir(parents=True)
    (top / "folder" / "script").write_bytes(b"\0\xff" * 70_000)
    (top / "folder" / "script").chmod(0o4755)
    (top / "read-only").write_text("x")
    (top / "read-only").chmod(0o444)
    (top / "folder" / "link").symlink_to("../nowhere")
    (top / "to-folder").symlink_to("folder")
    os.mkfifo(top / "fifo")
    os.utime(top / "read-only", ns=(1_000_000_001, 2_000_000_003))
    return top


def test_a_copy_has_the_files_links_modes_and_times_and_nothing_else(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_tree(tree, copy)
    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == [
        "folder",
        "folder/empty",
        "folder/link",
        "folder/script",
        "read-only",
        "to-folder",
    ]
    assert (copy / "folder/script").read_bytes() == b"\0\xff" * 70_000
    assert stat.S_IMODE((copy / "folder/script").stat().st_mode) == 0o755
    assert stat.S_IMODE((copy / "read-only").stat().st_mode) == 0o644
    assert (copy / "read-only").stat().st_mtime_ns == 2_000_000_003
    assert str((copy / "folder/link").readlink()) == "../nowhere"
    assert stat.S_IMODE((tree / "read-only").stat().st_mode) == 0o444


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_roots_copy_belongs_to_the_jobs_user(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_tree(tree, copy, Identity(uid=61184, gid=61184, changes=True))
    owners = {path.lstat().st_uid for path in (copy, *copy.rglob("*"))}
    assert owners == {61184}
    assert tree.stat().st_uid == 0


@pytest.mark.law
@given(st.lists(st.lists(st.sampled_from(["a", "b", "removing-1"]), min_size=1, max_size=5), max_size=8))
def test_whatever_the_tree_it_can_be_removed(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]
) -> None:
    """Also with every directory in it closed to its owner."""
    top = tmp_path_factory.mktemp("law") / "top"
    top.mkdir()
    for parts in paths:
        top.joinpath(*parts).mkdir(parents=True, exist_ok=True)
        (top.joinpath(*parts) / "file").touch()
    for path in sorted(top.rglob("*"), reverse=True):
        if path.is_dir():
            path.chmod(0)
    remove_tree(top)
    assert not top.exists()
    remove_tree(top)


def test_removing_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(outside)
    remove_tree(top)
    assert (outside / "file").exists()


def test_a_folder_in_use_is_not_swept_and_one_left_over_is(tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert sweep(root) == ()
    with folder(root) as held:
        left = root / "job-left"
        (left / "tree").mkdir(parents=True)
        (root / "somebody-elses").mkdir()
        assert sweep(root) == (left,)
        assert held.is_dir()
    assert [path.name for path in root.iterdir()] == ["somebody-elses"]


def test_a_folder_somebody_else_holds_right_now(tmp_path: Path) -> None:
    held = tmp_path / "job-held"
    held.mkdir()
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert sweep(tmp_path) == ()
    os.close(descriptor)
    assert sweep(tmp_path) == (held,)


def test_a_folder_is_removed_when_what_used_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), folder(tmp_path) as path:
        (path / "x").mkdir()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_handing_over_to_oneself_changes_nothing(tree: Path) -> None:
    before = {path: path.lstat().st_ctime_ns for path in tree.rglob("*")}
    hand_over(tree, os.geteuid(), os.getegid())
    assert {path: path.lstat().st_ctime_ns for path in tree.rglob("*")} == before


def test_a_tree_too_deep_to_hand_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deep(*_: object, **__: object) -> object:
        raise RecursionError

    monkeypatch.setattr(os, "fwalk", deep)
    with pytest.raises(OSError, match="nested too deep"):
        hand_over(tmp_path, 1, 1)
