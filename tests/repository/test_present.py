"""What index and work tree hold, as git would commit it, read without touching either. The oracle is git itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.present import staged_tree, work_tree_tree
from dev_agent.repository.tree_diff import tree_difference
from tests.testing.children import in_child
from tests.testing.repos import File, Project, make_repository

FILES: dict[str, File] = {
    "a.txt": b"one\n",
    "b/c.txt": b"two\n",
    "run.sh": ("100755", b"#!/bin/sh\n"),
    "link": ("120000", b"a.txt"),
    "binary": b"\x00\xff\r\n\x00",
}


def _nothing(_project: Project) -> None:
    pass


def _edited(project: Project) -> None:
    project.write("a.txt", b"1\n")


def _deleted(project: Project) -> None:
    (project.root / "b/c.txt").unlink()


def _modes(project: Project) -> None:
    (project.root / "a.txt").chmod(0o755)
    (project.root / "run.sh").chmod(0o644)


def _kinds(project: Project) -> None:
    project.write("a.txt", ("120000", b"/etc/passwd"))
    project.write("link", b"a file now\n")


def _file_to_folder(project: Project) -> None:
    project.write("a.txt", b"")
    (project.root / "a.txt").unlink()
    project.write("a.txt/inner", b"x\n")


def _folder_to_file(project: Project) -> None:
    project.write("b", b"a file now\n")


def _line_endings(project: Project) -> None:
    project.write(".gitattributes", b"*.txt text eol=crlf\n")
    project.write("a.txt", b"one\r\nmore\r\n")
    project.git("add", ".gitattributes")


def _clean_filter(project: Project) -> None:
    project.git("config", "filter.loud.clean", "tr a-z A-Z")
    project.write(".gitattributes", b"a.txt filter=loud\n")
    project.write("a.txt", b"quiet\n")


def _intended(project: Project) -> None:
    project.write("new.txt", b"new\n")
    project.git("add", "--intent-to-add", "new.txt")


def _staged_and_edited_again(project: Project) -> None:
    project.write("a.txt", b"staged\n")
    project.git("add", "a.txt")
    project.write("a.txt", b"later\n")


def _staged_removal(project: Project) -> None:
    project.git("rm", "--quiet", "--cached", "a.txt")


def _odd_names(project: Project) -> None:
    for name in ("-n", ":(glob)*", "tab\there", 'quote"', "line\nbreak"):
        project.write(name, b"x\n")
    (project.root / os.fsdecode(b"\xff")).write_bytes(b"x")


def _ignored(project: Project) -> None:
    project.write(".gitignore", b"*.log\n")
    project.write("noise.log", b"x\n")


def _assumed_unchanged(project: Project) -> None:
    project.git("update-index", "--assume-unchanged", "a.txt")
    project.write("a.txt", b"hidden\n")


def _sparse(project: Project) -> None:
    project.git("sparse-checkout", "set", "--no-cone", "/a.txt")
    project.write("a.txt", b"1\n")


def _submodule(project: Project) -> None:
    inner = replace(project, root=project.root / "inner")
    inner.root.mkdir()
    inner.git("init", "--quiet")
    inner.commit("first", {"file": b"1\n"})
    project.git("-c", "advice.addEmbeddedRepo=false", "add", "inner")
    project.git("commit", "--quiet", "-m", "inner")
    inner.commit("second", {"file": b"2\n"})
    inner.write("file", b"not committed\n")


def _split(project: Project) -> None:
    project.git("update-index", "--split-index")
    project.write("a.txt", b"1\n")


STATES = [
    _nothing, _edited, _deleted, _modes, _kinds, _file_to_folder, _folder_to_file, _line_endings, _clean_filter,
    _intended, _staged_and_edited_again, _staged_removal, _odd_names, _ignored, _assumed_unchanged, _sparse, _split,
    _submodule,
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_repository(tmp_path, FILES)


def _owned(project: Project) -> dict[str, object]:
    """What is the user's. Git notes on the shared half of a split index that it was read, whoever reads it."""
    return {
        path: seen[:2] if path.startswith(".git/sharedindex.") else seen
        for path, seen in project.snapshot().items()
    }


def _committed(project: Project, *add: str) -> str:
    """The tree the user's own git commits."""
    if add:
        project.git("add", *add)
    project.git("commit", "--quiet", "--allow-empty", "-m", "oracle")
    return project.tree()


@pytest.mark.parametrize("state", STATES)
def test_the_index_is_read_as_git_would_commit_it(project: Project, state: Callable[[Project], None]) -> None:
    state(project)
    before = _owned(project)
    found = staged_tree(project.repository())
    assert _owned(project) == before
    assert found.tree == _committed(project)


@pytest.mark.parametrize("state", STATES)
def test_the_work_tree_is_read_as_git_would_commit_all_of_it(
    project: Project, state: Callable[[Project], None]
) -> None:
    state(project)
    before = _owned(project)
    found = work_tree_tree(project.repository(), untracked=False, most_new=100)
    assert _owned(project) == before
    assert found.tree == _committed(project, "--update")


@pytest.mark.parametrize("state", STATES)
def test_untracked_files_come_along_only_when_asked(
    project: Project, state: Callable[[Project], None]
) -> None:
    state(project)
    before = _owned(project)
    found = work_tree_tree(project.repository(), untracked=True, most_new=100)
    assert _owned(project) == before
    assert found.tree == _committed(project, "--all")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_branch_without_a_commit_has_an_index_too(tmp_path: Path, object_format: str) -> None:
    project = make_repository(tmp_path, object_format=object_format)
    assert staged_tree(project.repository()).tree == project.git("hash-object", "-t", "tree", "/dev/null")
    project.write("first.txt", b"1\n")
    assert work_tree_tree(project.repository(), untracked=True, most_new=100).tree == _committed(
        project, "--all"
    )


def test_an_edit_of_the_same_length_with_the_old_time_is_seen(project: Project) -> None:
    """The stat data says nothing changed; `git status` believes it, a verdict must not."""
    project.git("config", "core.trustctime", "false")
    path = project.root / "a.txt"
    os.utime(path, (10**9, 10**9))
    project.git("update-index", "--refresh")
    with path.open("r+b") as file:
        file.write(b"two")
    os.utime(path, (10**9, 10**9))
    assert project.git("status", "--porcelain") == ""
    found = work_tree_tree(project.repository(), untracked=False, most_new=100).tree
    assert [one.path for one in tree_difference(project.repository(), project.tree(), found)] == ["a.txt"]


def test_a_git_command_of_the_users_that_holds_the_index_is_no_hindrance(project: Project) -> None:
    project.write("a.txt", b"1\n")
    lock = project.git_dir / "index.lock"
    lock.write_bytes(b"theirs")
    before = project.snapshot()
    assert work_tree_tree(project.repository(), untracked=True, most_new=100).tree != project.tree()
    assert project.snapshot() == before
    assert lock.read_bytes() == b"theirs"


def test_unresolved_conflicts_are_refused_and_not_taken_with_their_marks(project: Project) -> None:
    rows = [
        f"100644 {project.blob(data)} {number}\ta.txt\n"
        for number, data in ((2, b"ours\n"), (3, b"theirs\n"))
    ]
    project.git("rm", "--quiet", "--cached", "a.txt")
    project.git("update-index", "--index-info", stdin="".join(rows).encode())
    before = project.snapshot()
    for untracked in (False, True):
        with pytest.raises(RepositoryFault) as caught:
            work_tree_tree(project.repository(), untracked=untracked, most_new=100)
        assert (caught.value.code, "a.txt" in caught.value.message) == ("unmerged-index", True)
    with pytest.raises(RepositoryFault):
        staged_tree(project.repository())
    assert project.snapshot() == before


def test_a_tracked_file_that_became_a_pipe_is_refused_and_nobody_waits(project: Project) -> None:
    (project.root / "a.txt").unlink()
    os.mkfifo(project.root / "a.txt")
    with pytest.raises(RepositoryFault) as caught:
        work_tree_tree(project.repository(), untracked=False, most_new=100)
    assert caught.value.code == "unreadable-work-tree"
    assert "a.txt" in caught.value.message


def test_new_files_that_were_not_asked_for_are_named(project: Project) -> None:
    project.write("new file", b"x\n")
    project.write("ignored", b"x\n")
    project.write(".git/info/exclude", b"ignored\n")
    (project.root / "inner").mkdir()
    project.git("init", "--quiet", "inner")
    new = [
        one
        for one in project.git("ls-files", "--others", "--exclude-standard").splitlines()
        if one[-1] != "/"
    ]
    found = work_tree_tree(project.repository(), untracked=False, most_new=100)
    assert ("new file" in found.untracked, "ignored" in found.untracked) == (True, False)
    assert found.untracked == tuple(sorted(new))
    assert work_tree_tree(project.repository(), untracked=True, most_new=100).untracked == ()


def test_a_repository_inside_the_work_tree_is_left_out_and_named(project: Project) -> None:
    (project.root / "inner").mkdir()
    project.git("init", "--quiet", "inner")
    project.write("inner/file", b"theirs\n")
    project.write("mine", b"x\n")
    found = work_tree_tree(project.repository(), untracked=True, most_new=100)
    assert [one.path for one in tree_difference(project.repository(), project.tree(), found.tree)] == ["mine"]
    assert found.notes == ("inner/ is a repository of its own and was left out",)


def _objects(project: Project) -> dict[str, bytes]:
    """Every file of git's object store, byte for byte."""
    folder = project.git_dir / "objects"
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_too_many_new_files_are_refused_before_an_object_is_written(project: Project) -> None:
    tracked = project.git("ls-files").splitlines()[0]
    project.write(tracked, b"edited, and not stored either\n")
    for number in range(7):
        project.write(f"build/output/{number}", b"%d\n" % number)
    project.write("beside.txt", b"new\n")
    before = _objects(project)
    with pytest.raises(RepositoryFault) as caught:
        work_tree_tree(project.repository(), untracked=True, most_new=7)
    assert caught.value.code == "too-many-files"
    assert "8 new files are not ignored by git (7 in build/)" in caught.value.message
    assert ".gitignore" in caught.value.hint
    assert _objects(project) == before
    work_tree_tree(project.repository(), untracked=True, most_new=8)
    assert _objects(project) != before


def test_what_head_has_and_only_the_index_lacks_is_not_counted_as_new(project: Project) -> None:
    count = len(project.git("ls-files").splitlines())
    assert count > 1
    project.git("rm", "-r", "--quiet", "--cached", ".")
    found = work_tree_tree(project.repository(), untracked=True, most_new=count - 1)
    assert found.tree == project.tree()


def test_without_a_commit_every_file_is_new(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {})
    project.git("update-ref", "-d", "HEAD")
    project.write("a", b"1")
    project.write("b", b"2")
    before = _objects(project)
    with pytest.raises(RepositoryFault, match="2 new files"):
        work_tree_tree(project.repository(), untracked=True, most_new=1)
    assert _objects(project) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("theirs", ["objects", "file"])
def test_a_disk_that_takes_no_objects_is_not_blamed_on_the_work_tree(theirs: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        project = make_repository(Path(name), FILES)
        project.write("a.txt", b"other\n")
        for path in [Path(name), *Path(name).rglob("*")]:
            if theirs != "objects" or "objects" not in path.parts:
                os.chown(path, 65534, 65534, follow_symlinks=False)
        if theirs == "file":
            os.chown(project.root / "a.txt", 0, 0)
            (project.root / "a.txt").chmod(0o600)
        refusal = GitFailed if theirs == "objects" else RepositoryFault

        def as_somebody_else() -> None:
            os.setgid(65534)
            os.setuid(65534)
            with pytest.raises(refusal):
                work_tree_tree(project.repository(), untracked=False, most_new=100)

        assert in_child(as_somebody_else) == 0
