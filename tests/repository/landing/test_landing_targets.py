"""Where a commit can land: this branch, a detached HEAD, an unborn branch, another, a new one, a bare repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.repository.landing.outcome import Blocked, Code, Landed, Moved
from dev_agent.repository.landing.target import TargetKind, find_target
from tests.repository.landing.landing_scene import Scene, files_of, leftovers, make_scene, snapshot, status


def test_a_detached_head_moves_and_no_branch_does(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    main = scene.git("rev-parse", "main")
    scene.git("checkout", "-q", "--detach")
    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    assert request.target.kind is TargetKind.DETACHED
    outcome = scene.land(request)
    assert isinstance(outcome, Landed)
    assert outcome.ref == "HEAD"
    assert scene.head() == request.commit
    assert scene.git("rev-parse", "main") == main
    assert scene.repository.git.run("symbolic-ref", "-q", "HEAD").code == 1
    assert status(scene) == ""


def test_an_unborn_branch_is_born(tmp_path: Path) -> None:
    scene = Scene(root=tmp_path / "repo", home=tmp_path)
    scene.root.mkdir()
    scene.git("init", "-q", "-b", "main")
    scene.write("mine", b"untracked\n")
    commit = scene.propose({"a.txt": b"one\n", "d/b": b"two\n"}, base=None)
    request = scene.request(commit, base=None)
    assert request.target.kind is TargetKind.UNBORN
    assert isinstance(scene.land(request), Landed)
    assert scene.git("rev-parse", "main") == commit
    assert status(scene) == "?? mine"
    assert leftovers(scene) == []


def test_an_unborn_branch_born_meanwhile_has_moved(tmp_path: Path) -> None:
    scene = Scene(root=tmp_path / "repo", home=tmp_path)
    scene.root.mkdir()
    scene.git("init", "-q", "-b", "main")
    request = scene.request(scene.propose({"a.txt": b"one\n"}, base=None), base=None)
    tip = scene.commit({"b": b"b\n"})
    assert scene.land(request) == Moved(tip=tip)


def test_another_branch_moves_alone(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("branch", "side")
    scene.write("a.txt", b"dirty\n")
    commit = scene.propose({"a.txt": b"ours\n"}, base="side")
    before = snapshot(scene)
    request = scene.request(commit, base=scene.git("rev-parse", "side"), branch="side")
    assert request.target.kind is TargetKind.OTHER_BRANCH
    assert isinstance(scene.land(request), Landed)
    assert scene.git("rev-parse", "side") == commit
    after = snapshot(scene)
    assert {key: after[key] for key in after if key != "refs"} == {
        key: before[key] for key in before if key != "refs"
    }


def test_a_new_branch_is_made_once(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    commit = scene.propose({"a.txt": b"ours\n"})
    request = scene.request(commit, branch="topic/one")
    assert request.target.kind is TargetKind.NEW_BRANCH
    assert isinstance(scene.land(request), Landed)
    assert scene.git("rev-parse", "topic/one") == commit
    assert (scene.root / "a.txt").read_bytes() == b"one\n"
    assert scene.land(request) == Moved(tip=commit)


def test_a_hook_can_refuse_a_ref_only_landing_too(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    commit = scene.propose({"a.txt": b"ours\n"})
    scene.hook("reference-transaction", "test $1 != prepared")
    before = snapshot(scene)
    outcome = scene.land(scene.request(commit, branch="new"))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.HOOK_VETO
    assert snapshot(scene) == before


def test_head_by_its_own_name_has_a_work_tree(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    assert find_target(scene.repository, "main").kind is TargetKind.HEAD_BRANCH


@pytest.mark.parametrize(
    ("name", "other"), [("main/sub", "main"), ("topic", "topic/x"), ("topic/x/y", "topic/x")]
)
def test_a_new_branch_that_has_no_room_beside_another_is_refused_before_anything_runs(
    tmp_path: Path, name: str, other: str
) -> None:
    scene = make_scene(tmp_path)
    scene.git("branch", "topic/x")
    with pytest.raises(UsageFault, match=f"there is a branch '{other}'"):
        find_target(scene.repository, name)
    assert find_target(scene.repository, "topic/y").kind is TargetKind.NEW_BRANCH


def test_a_name_too_long_for_a_lock_blocks_nothing_but_itself(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = snapshot(scene)
    outcome = scene.land(scene.request(scene.propose({"a.txt": b"ours\n"}), branch="b" * 253))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.REF_UPDATE_FAILED
    assert snapshot(scene) == before
    assert leftovers(scene) == []


def test_a_ref_in_place_of_a_branch_is_refused_with_the_name_that_was_meant(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    with pytest.raises(UsageFault, match="full name of a ref") as raised:
        find_target(scene.repository, "refs/heads/side")
    assert raised.value.hint.endswith(" side")


def test_a_branch_that_takes_the_new_ones_place_meanwhile_blocks_it_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}), branch="topic/x")
    scene.git("branch", "topic")
    before = snapshot(scene)
    outcome = scene.land(request)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.REF_UPDATE_FAILED
    assert snapshot(scene) == before
    assert leftovers(scene) == []
    assert isinstance(scene.land(scene.request(scene.propose({"a.txt": b"ours\n"}))), Landed)


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "@{-1}", "", "x.lock"])
def test_a_name_git_would_not_take_is_a_usage_error(tmp_path: Path, name: str) -> None:
    scene = make_scene(tmp_path)
    with pytest.raises(UsageFault, match="not a branch name"):
        find_target(scene.repository, name)


def test_a_bare_repository_moves_its_ref_only(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    commit = scene.propose({"a.txt": b"ours\n"})
    scene.git("branch", "keep", commit)
    bare = Scene(root=tmp_path / "bare.git", home=scene.home)
    scene.git("clone", "-q", "--bare", str(scene.root), str(bare.root))
    before = files_of(bare.root)
    request = bare.request(commit)
    assert request.target.kind is TargetKind.BARE
    assert isinstance(bare.land(request), Landed)
    assert bare.git("rev-parse", "main") == commit
    assert {path for path in files_of(bare.root) if not path.startswith("dev-agent")} == set(before) | {
        "refs/heads/main"
    }


def test_a_linked_work_tree_lands_there_only(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    linked = Scene(root=tmp_path / "linked", home=scene.home)
    scene.git("worktree", "add", "-q", "-b", "side", str(linked.root))
    main = snapshot(scene)
    commit = linked.propose({"a.txt": b"ours\n", "new/f": b"n\n"})
    assert isinstance(linked.land(linked.request(commit)), Landed)
    assert linked.head() == commit
    assert status(linked) == ""
    assert leftovers(linked) == []
    after = snapshot(scene)
    assert {key: after[key] for key in after if key != "refs"} == {
        key: main[key] for key in main if key != "refs"
    }


@pytest.mark.parametrize("far", [False, True], ids=["same file system", "another file system"])
@pytest.mark.parametrize("durable", [False, True], ids=["quick", "durable"])
def test_a_separate_git_dir_lands(tmp_path: Path, far: bool, durable: bool) -> None:
    git_dir = elsewhere(tmp_path) if far else tmp_path / "gitdir"
    scene = make_scene(tmp_path, None, f"--separate-git-dir={git_dir}")
    change = {
        "a.txt": b"ours\n",
        "src/c.py": None,
        "n/e": b"e\n",
        "link": ("120000", b"z"),
        "l2": ("120000", b"y"),
    }
    commit = scene.propose(change)
    try:
        outcome = scene.land(scene.request(commit, durable=durable))
        assert isinstance(outcome, Landed), outcome
        assert status(scene) == ""
        assert leftovers(scene) == []
        assert [path for path in files_of(scene.root) if "dev-agent" in path] == []
    finally:
        for path in sorted(git_dir.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        git_dir.rmdir()


def elsewhere(tmp_path: Path) -> Path:
    """A folder on another file system than the work tree, if the machine has one to write to."""
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system to write to")
    folder = shm / f"dev-agent-test-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("script", "warning"),
    [
        ("echo $1 > ran; exit 0", ""),
        ("echo broken >&2; exit 3", "post-merge hook ended with status 3: broken"),
    ],
)
def test_post_merge_runs_after_the_landing_and_cannot_fail_it(
    tmp_path: Path, script: str, warning: str
) -> None:
    scene = make_scene(tmp_path)
    scene.hook("post-merge", script)
    outcome = scene.land(scene.request(scene.propose({"a.txt": b"ours\n"})))
    assert isinstance(outcome, Landed)
    assert [warning] * bool(warning) == [text.removeprefix("the ") for text in outcome.warnings]
    assert (scene.root / "ran").exists() == (not warning)


def test_post_merge_does_not_run_if_hooks_are_skipped_or_no_work_tree_moved(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("post-merge", "touch ran")
    assert isinstance(scene.land(scene.request(scene.propose({"a.txt": b"ours\n"})), hooks=False), Landed)
    assert isinstance(scene.land(scene.request(scene.propose({"b.txt": b"ours\n"}), branch="new")), Landed)
    assert not (scene.root / "ran").exists()


def test_a_read_only_git_dir_is_refused(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can write anywhere")
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    (scene.root / ".git").chmod(0o555)
    try:
        outcome = scene.land(request)
    finally:
        (scene.root / ".git").chmod(0o755)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.NO_WRITE_PERMISSION
