"""Taking a commit out of a branch that holds it: exactly its change goes, or nothing and the places are named."""

from __future__ import annotations

import os
from pathlib import Path

from dev_agent.repository.inverse import Inverted, inverse
from dev_agent.repository.rebase import Conflicted
from tests.testing.repos import Project, make_repository

BINARY = bytes(range(256)) * 40


def taken_out(project: Project, commit: str) -> Inverted | Conflicted:
    before = project.snapshot()
    made = inverse(
        project.repository(), commit=commit, onto=project.git("rev-parse", "HEAD"), message="back\n"
    )
    assert project.snapshot() == before
    return made


def test_of_the_tip_it_is_the_tree_before_whatever_the_bytes(tmp_path: Path) -> None:
    odd = os.fsdecode(b"od\xffd \t\n")
    project = make_repository(tmp_path, {"a.bin": BINARY, "b": b"b\r\n", "run": ("100755", b"x"), odd: b"1"})
    before = project.tree()
    commit = project.commit(
        "all at once",
        {"a.bin": None, "c.bin": b"\0" + BINARY, "b": ("120000", b"run"), "run": b"y\0", odd: b"\xff\xfe"},
    )
    made = taken_out(project, commit)
    assert isinstance(made, Inverted)
    assert made.tree == before


def test_later_commits_stay(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.bin": BINARY, "notes": b"one\n"})
    commit = project.commit("binary", {"a.bin": BINARY[::-1]})
    project.commit("later", {"notes": b"two\n", "new": b"new\n"})
    made = taken_out(project, commit)
    assert isinstance(made, Inverted)
    assert project.git_bytes("show", f"{made.tree}:a.bin") == BINARY
    assert project.git_bytes("show", f"{made.tree}:notes") == b"two\n"
    assert project.git_bytes("show", f"{made.tree}:new") == b"new\n"


def test_a_later_edit_follows_a_rename_back(tmp_path: Path) -> None:
    lines = [b"line %d\n" % number for number in range(40)]
    project = make_repository(tmp_path, {"old.txt": b"".join(lines)})
    commit = project.commit("rename", {"old.txt": None, "new.txt": b"".join(lines)})
    edited = b"".join([*lines[:-1], b"edited\n"])
    project.commit("edit", {"new.txt": edited})
    made = taken_out(project, commit)
    assert isinstance(made, Inverted)
    assert project.git("ls-tree", "--name-only", made.tree) == "old.txt"
    assert project.git_bytes("show", f"{made.tree}:old.txt") == edited


def test_a_file_that_was_changed_after_it_was_added_is_a_conflict(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b"a\n"})
    odd = os.fsdecode(b"od\xffd")
    commit = project.commit("add", {odd: b"one\n", "fine": b"fine\n"})
    project.commit("edit", {odd: b"two\n"})
    made = taken_out(project, commit)
    assert isinstance(made, Conflicted)
    assert made.paths == (odd,)


def test_the_first_commit_goes_back_to_an_empty_tree(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b"a\n"})
    made = taken_out(project, project.git("rev-parse", "HEAD"))
    assert isinstance(made, Inverted)
    assert project.git("ls-tree", made.tree) == ""


def test_a_sha256_repository(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b"a\n"}, object_format="sha256")
    before = project.tree()
    made = taken_out(project, project.commit("change", {"a": BINARY}))
    assert isinstance(made, Inverted)
    assert made.tree == before
