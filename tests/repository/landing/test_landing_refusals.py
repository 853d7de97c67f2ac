"""Everything that is refused, with a stable code and the paths, and with nothing at all changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.repository.landing.outcome import Blocked, Code
from dev_agent.repository.landing.target import TargetKind
from tests.repository.landing.landing_scene import File, Scene, make_scene, snapshot

Change = dict[str, File]


def refused(scene: Scene, change: Change, code: Code, *paths: str) -> Blocked:
    """The change is refused with `code` for exactly `paths`, and the repository is what it was."""
    commit = scene.propose(change)
    request = scene.request(commit)
    before = snapshot(scene)
    outcome = scene.land(request)
    assert isinstance(outcome, Blocked), outcome
    assert (outcome.code, outcome.paths) == (code, tuple(sorted(paths)))
    assert outcome.text
    assert snapshot(scene) == before
    return outcome


def edit(path: str, data: File) -> Callable[[Scene], None]:
    return lambda scene: scene.write(path, data)


def chmod(path: str) -> Callable[[Scene], None]:
    return lambda scene: (scene.root / path).chmod(0o755)


def git(*args: str) -> Callable[[Scene], None]:
    return lambda scene: void(scene.git(*args))


def void(_: object) -> None:
    """For lambdas that must give nothing."""


def together(*acts: Callable[[Scene], None]) -> Callable[[Scene], None]:
    def all_of_them(scene: Scene) -> None:
        for act in acts:
            act(scene)

    return all_of_them


def folder_behind_symlink(scene: Scene) -> None:
    (scene.root / "src").rename(scene.root / "elsewhere")
    (scene.root / "src").symlink_to("elsewhere")


def staged_but_back_on_disk(scene: Scene) -> None:
    scene.write("a.txt", b"staged\n")
    scene.git("add", "a.txt")
    scene.write("a.txt", b"one\n")


def staged_inside_a_folder_that_becomes_a_file(scene: Scene) -> None:
    scene.write("src/deep/mine", b"m\n")
    scene.git("add", "src/deep/mine")
    scene.write("src/deep/mine", None)


def staged_where_a_folder_will_be(scene: Scene) -> None:
    scene.write("new", b"m\n")
    scene.git("add", "new")
    scene.write("new", None)


def mode_and_special(scene: Scene) -> None:
    scene.write("a.txt", None)
    os.mkfifo(scene.root / "a.txt")


MODIFY: Change = {"a.txt": b"ours\n"}
ADD: Change = {"new/e": b"e\n"}
DIR_TO_FILE: Change = {"src/deep/d.py": None, "src/deep": b"now a file\n"}

CASES: list[tuple[str, Callable[[Scene], None], Change, Code, tuple[str, ...]]] = [
    ("dirty file", edit("a.txt", b"mine\n"), MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("dirty file of the same length", edit("a.txt", b"onE\n"), MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("dirty by mode only", chmod("a.txt"), MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("dirty file to be deleted", edit("a.txt", b"mine\n"), {"a.txt": None}, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("file the user deleted", edit("a.txt", None), MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("file made a symlink", edit("a.txt", ("120000", b"b.txt")), MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    ("symlink to elsewhere", edit("link", ("120000", b"q")), {"link": None}, Code.DIRTY_OVERLAP, ("link",)),
    ("file made a pipe", mode_and_special, MODIFY, Code.DIRTY_OVERLAP, ("a.txt",)),
    (
        "several dirty files are all named",
        together(edit("a.txt", b"m\n"), edit("b.txt", b"m\n")),
        {"a.txt": b"o\n", "b.txt": b"o\n"},
        Code.DIRTY_OVERLAP,
        ("a.txt", "b.txt"),
    ),
    (
        "staged file",
        together(edit("a.txt", b"s\n"), git("add", "a.txt")),
        MODIFY,
        Code.STAGED_OVERLAP,
        ("a.txt",),
    ),
    ("staged though back on disk", staged_but_back_on_disk, MODIFY, Code.STAGED_OVERLAP, ("a.txt",)),
    ("removed from the index", git("rm", "-q", "--cached", "a.txt"), MODIFY, Code.STAGED_OVERLAP, ("a.txt",)),
    (
        "staged inside a folder that becomes a file",
        staged_inside_a_folder_that_becomes_a_file,
        DIR_TO_FILE,
        Code.STAGED_OVERLAP,
        ("src/deep/mine",),
    ),
    ("staged where a folder will be", staged_where_a_folder_will_be, ADD, Code.STAGED_OVERLAP, ("new",)),
    ("untracked file", edit("new/e", b"m\n"), ADD, Code.UNTRACKED_OVERLAP, ("new/e",)),
    (
        "ignored file, which git would overwrite",
        edit("k.ignored", b"precious\n"),
        {"k.ignored": b"theirs\n"},
        Code.UNTRACKED_OVERLAP,
        ("k.ignored",),
    ),
    ("untracked file as parent", edit("new", b"m\n"), ADD, Code.UNTRACKED_OVERLAP, ("new",)),
    ("untracked folder in the way", edit("x/y", b"m\n"), {"x": b"f\n"}, Code.UNTRACKED_OVERLAP, ("x/y",)),
    (
        "folder to file with an untracked file inside",
        edit("src/deep/more/mine", b"m\n"),
        DIR_TO_FILE,
        Code.UNTRACKED_OVERLAP,
        ("src/deep/more/mine",),
    ),
    (
        "folder to file with an untracked link to a folder inside",
        edit("src/deep/mine", ("120000", b"..")),
        DIR_TO_FILE,
        Code.UNTRACKED_OVERLAP,
        ("src/deep/mine",),
    ),
    (
        "folder to file with an empty folder inside",
        lambda scene: (scene.root / "src/deep/empty").mkdir(),
        DIR_TO_FILE,
        Code.UNTRACKED_OVERLAP,
        ("src/deep/empty",),
    ),
    (
        "folder replaced by a symlink, files as before behind it",
        folder_behind_symlink,
        {"src/c.py": b"o\n"},
        Code.SYMLINKED_PARENT,
        ("src",),
    ),
    (
        "new file below a symlinked folder",
        edit("out", ("120000", b"/tmp")),
        {"out/e": b"e\n"},
        Code.SYMLINKED_PARENT,
        ("out",),
    ),
    (
        "folder replaced by a file",
        together(lambda scene: void((scene.root / "src").rename(scene.root / "moved")), edit("src", b"f\n")),
        {"src/c.py": b"o\n"},
        Code.DIRTY_OVERLAP,
        ("src/c.py",),
    ),
    (
        "assumed unchanged",
        git("update-index", "--assume-unchanged", "a.txt"),
        MODIFY,
        Code.ASSUME_UNCHANGED,
        ("a.txt",),
    ),
    (
        "not in the work tree",
        git("update-index", "--skip-worktree", "a.txt"),
        MODIFY,
        Code.SPARSE_OVERLAP,
        ("a.txt",),
    ),
    (
        "new path outside the sparse checkout",
        git("sparse-checkout", "set", "src"),
        {"other/e": b"e\n", "src/e": b"e\n"},
        Code.SPARSE_OVERLAP,
        ("other/e",),
    ),
    (
        "changed path outside the sparse checkout",
        git("sparse-checkout", "set", "src"),
        {"mine/dirty": b"e\n"},
        Code.SPARSE_OVERLAP,
        ("mine/dirty",),
    ),
    ("names differing by case", edit("q", b"q"), {"A.TXT": b"a\n"}, Code.CASE_CLASH, ("A.TXT",)),
    ("folders differing by case", edit("q", b"q"), {"SRC/e": b"a\n"}, Code.CASE_CLASH, ("SRC/e",)),
    (
        "names differing by composition",
        edit("q", b"q"),
        {"e\u0301": b"a\n", "\u00e9": b"b\n"},
        Code.CASE_CLASH,
        ("e\u0301", "\u00e9"),
    ),
    ("submodule settings", edit("q", b"q"), {".gitmodules": b"x\n"}, Code.SUBMODULE_CHANGE, (".gitmodules",)),
]


@pytest.mark.parametrize(
    ("arrange", "change", "code", "paths"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_refused_with_nothing_changed(
    tmp_path: Path, arrange: Callable[[Scene], None], change: Change, code: Code, paths: tuple[str, ...]
) -> None:
    scene = make_scene(tmp_path)
    arrange(scene)
    refused(scene, change, code, *paths)


def test_a_submodule_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    head = scene.git("rev-parse", "HEAD")
    index = {"GIT_INDEX_FILE": str(tmp_path / "i")}
    scene.git("read-tree", "HEAD", env=index)
    scene.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub", env=index)
    tree = scene.git("write-tree", env=index)
    commit = scene.git("commit-tree", tree, "-p", "HEAD", "-m", "sub")
    before = snapshot(scene)
    outcome = scene.land(scene.request(commit))
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.paths) == (Code.SUBMODULE_CHANGE, ("sub",))
    assert snapshot(scene) == before


@pytest.mark.parametrize(
    "name",
    [
        ".git",
        ".GIT",
        "git~1",
        ".git ",
        ".git.",
        ".git::$INDEX_ALLOCATION",
        ".g\u200cit",
        "..",
        ".",
        "a\\.git",
    ],
)
def test_a_name_that_stands_for_gits_own_folder_is_refused_even_if_a_tree_has_it(
    tmp_path: Path, name: str
) -> None:
    scene = make_scene(tmp_path)
    blob = scene.git("hash-object", "-w", "--stdin", stdin=b"[core]\n")
    rows = scene.git("ls-tree", "HEAD") + f"\n040000 tree {deep_tree(scene, blob)}\t{name}\n"
    tree = scene.git("mktree", stdin=os.fsencode(rows))
    commit = scene.git("commit-tree", tree, "-p", "HEAD", "-m", "evil")
    before = snapshot(scene)
    outcome = scene.land(scene.request(commit))
    assert isinstance(outcome, Blocked)
    assert (outcome.code, outcome.paths) == (Code.FORBIDDEN_PATH, (f"{name}/config",))
    assert snapshot(scene) == before


def deep_tree(scene: Scene, blob: str) -> str:
    return scene.git("mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())


@pytest.mark.parametrize(
    ("mark", "folder"),
    [
        ("MERGE_HEAD", False),
        ("CHERRY_PICK_HEAD", False),
        ("REVERT_HEAD", False),
        ("BISECT_LOG", False),
        ("rebase-merge", True),
        ("rebase-apply", True),
        ("sequencer", True),
    ],
)
def test_an_operation_in_progress_is_refused(tmp_path: Path, mark: str, folder: bool) -> None:
    scene = make_scene(tmp_path)
    place = scene.root / ".git" / mark
    if folder:
        place.mkdir()
    else:
        place.write_text(f"{scene.head()}\n")
    refused(scene, MODIFY, Code.OPERATION_IN_PROGRESS)


@pytest.mark.parametrize("which", ["HEAD", "HEAD^{tree}", "HEAD:src"])
def test_a_base_that_was_replaced_meanwhile_is_refused(tmp_path: Path, which: str) -> None:
    scene = make_scene(tmp_path)
    scene.commit({"src/deep/x": b"x\n"})
    kind = scene.git("cat-file", "-t", which)
    other = (
        scene.git("commit-tree", "HEAD^{tree}", "-m", "other") if kind == "commit" else scene.git("mktree")
    )
    scene.git("update-ref", f"refs/replace/{scene.git('rev-parse', which)}", other)
    refused(scene, MODIFY, Code.REPLACED_OBJECTS)


def test_a_real_merge_conflict_is_refused_as_the_operation_and_without_it_as_unmerged(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("checkout", "-q", "-b", "side")
    scene.commit({"b.txt": b"side\n"})
    scene.git("checkout", "-q", "main")
    scene.commit({"b.txt": b"main\n"})
    with pytest.raises(Exception, match="exit status 1"):
        scene.git("merge", "side")
    refused(scene, MODIFY, Code.OPERATION_IN_PROGRESS)
    (scene.root / ".git" / "MERGE_HEAD").unlink()
    refused(scene, MODIFY, Code.UNMERGED_INDEX, "b.txt")


def test_a_users_index_lock_is_waited_for_then_refused_and_left(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    (scene.root / ".git" / "index.lock").write_bytes(b"")
    refused(scene, MODIFY, Code.INDEX_LOCKED)
    assert (scene.root / ".git" / "index.lock").read_bytes() == b""


def test_a_lock_text_that_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    (scene.root / ".git" / "index.lock").write_bytes(b"dev-agent 123456\n")
    refused(scene, MODIFY, Code.INDEX_LOCKED)


def test_a_branch_checked_out_in_two_work_trees_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("worktree", "add", "-q", "-f", str(tmp_path / "second"), "main")
    refused(scene, MODIFY, Code.BRANCH_CHECKED_OUT_TWICE)


def test_another_branch_that_some_work_tree_has_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "second"))
    commit = scene.propose(MODIFY, base="side")
    before = snapshot(scene)
    outcome = scene.land(scene.request(commit, base=scene.git("rev-parse", "side"), branch="side"))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.BRANCH_CHECKED_OUT_ELSEWHERE
    assert str(tmp_path / "second") in outcome.text
    assert snapshot(scene) == before


def test_a_work_tree_that_is_gone_is_no_second_checkout(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("worktree", "add", "-q", "-f", str(tmp_path / "second"), "main")
    (tmp_path / "second" / ".git").unlink()
    commit = scene.propose(MODIFY)
    assert not isinstance(scene.land(scene.request(commit)), Blocked)


def test_switched_to_another_branch_meanwhile_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose(MODIFY))
    scene.git("checkout", "-q", "-b", "side")
    before = snapshot(scene)
    outcome = scene.land(request)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.HEAD_SWITCHED
    assert snapshot(scene) == before


def test_the_target_branch_checked_out_here_meanwhile_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("branch", "side")
    request = scene.request(scene.propose(MODIFY), branch="side")
    assert request.target.kind is TargetKind.OTHER_BRANCH
    scene.git("checkout", "-q", "side")
    before = snapshot(scene)
    outcome = scene.land(request)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.HEAD_SWITCHED
    assert snapshot(scene) == before


def test_a_reference_transaction_hook_can_say_no_and_is_quoted(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    commit = scene.propose({**MODIFY, **ADD, "src/c.py": None})
    scene.hook("reference-transaction", "echo not on a friday >&2; test $1 != prepared")
    request = scene.request(commit)
    before = snapshot(scene)
    del before["index bytes"], before["index"]  # nothing was written; only inode times moved
    outcome = scene.land(request)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.HOOK_VETO
    assert "not on a friday" in outcome.text
    after = snapshot(scene)
    assert {key: after[key] for key in before} == before
    assert scene.git("status", "--porcelain") == ""


def test_a_locked_ref_is_refused_and_the_lock_left(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    lock = scene.root / ".git" / "refs" / "heads" / "main.lock"
    lock.write_bytes(b"")
    os.utime(lock, ns=(0, 0))
    commit = scene.propose(MODIFY)
    outcome = scene.land(scene.request(commit))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.REF_UPDATE_FAILED
    assert "main.lock" in outcome.text
    assert (scene.root / "a.txt").read_bytes() == b"one\n"
    assert lock.exists()


def test_a_required_filter_that_fails_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("config", "filter.broken.smudge", "false")
    scene.git("config", "filter.broken.required", "true")
    refused(
        scene,
        {".gitattributes": b"*.x filter=broken\n", "f.x": b"x\n"},
        Code.FILTER_FAILED,
        ".gitattributes",
        "f.x",
    )


@pytest.mark.parametrize(("blocks", "code"), [(1, Code.DISK_FULL), (1 << 20, Code.FILTER_FAILED)])
def test_a_file_git_could_not_write_and_gives_no_reason_for_is_a_full_disk_if_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, code: Code
) -> None:
    scene = make_scene(tmp_path)
    # A smudge filter that says what git says of a file that did not fit: the real words need a full disk.
    scene.git("config", "filter.broken.smudge", "echo 'error: unable to write file f.x' >&2; exit 1")
    scene.git("config", "filter.broken.required", "true")
    values = list(os.statvfs(tmp_path))
    values[1], values[4] = 4096, blocks
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(values))
    named = () if code is Code.DISK_FULL else (".gitattributes", "f.x")
    refused(scene, {".gitattributes": b"*.x filter=broken\n", "f.x": b"x\n"}, code, *named)


def test_a_clean_filter_that_fails_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.git("config", "filter.broken.clean", "false")
    scene.git("config", "filter.broken.required", "true")
    scene.write(".gitattributes", b"a.txt filter=broken\n")
    scene.write("a.txt", b"changed\n")
    refused(scene, MODIFY, Code.FILTER_FAILED, "a.txt")


def test_objects_that_are_not_here_are_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    commit = scene.propose(MODIFY)
    blob = scene.git("rev-parse", f"{commit}:a.txt")
    (scene.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    before = snapshot(scene)
    outcome = scene.land(scene.request(commit))
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.MISSING_OBJECTS
    assert snapshot(scene) == before


def test_a_base_that_is_not_here_is_refused(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.commit({"b.txt": b"second\n"})
    shallow = tmp_path / "shallow"
    scene.git("clone", "-q", "--depth=1", f"file://{scene.root}", str(shallow))
    clone = Scene(root=shallow, home=scene.home)
    commit = clone.propose(MODIFY)
    assert not isinstance(clone.land(clone.request(commit)), Blocked)
    assert clone.git("status", "--porcelain") == ""


def test_a_commit_that_is_not_the_verified_tree_is_a_bug_and_raises(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose(MODIFY))
    other = scene.request(scene.propose(ADD))
    before = snapshot(scene)
    from dataclasses import replace  # noqa: PLC0415 - only here

    with pytest.raises(AssertionError, match="was verified"):
        scene.land(replace(request, tree=other.tree))
    with pytest.raises(AssertionError, match="not built on"):
        scene.land(replace(request, base=other.commit))
    assert snapshot(scene) == before
