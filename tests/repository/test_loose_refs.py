"""What is read without git is what git says; and it is read without git."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.repository.discovery import Repository, read_head
from dev_agent.repository.loose_refs import UNKNOWN, branch_of_head, loose_ref
from dev_agent.repository.refs import read_ref
from dev_agent.repository.store import NewObject, ObjectStore
from tests.testing.repos import Project, clone

NAMES = ("main", "other", "gone", "folder/deep", "folder", "symbolic", "broken", "linked", "tag")


def without_git(repository: Repository) -> Repository:
    return replace(repository, git=replace(repository.git, program="/no/such/git"))


def asked_of_git(repository: Repository, ref: str) -> str | None:
    done = repository.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return done.stdout.decode().strip() if done.ok else None


def _loose(project: Project) -> None:
    project.git("branch", "other")
    project.git("branch", "folder/deep")


def _packed(project: Project) -> None:
    _loose(project)
    project.git("tag", "-a", "-m", "peeled lines follow it", "tag")
    project.git("pack-refs", "--all")


def _packed_and_moved(project: Project) -> None:
    _packed(project)
    project.commit("second")


def _packed_and_deleted(project: Project) -> None:
    _packed(project)
    project.git("branch", "-D", "other")


def _odd(project: Project) -> None:
    heads = project.root / ".git/refs/heads"
    project.git("symbolic-ref", "refs/heads/symbolic", "refs/heads/main")
    (heads / "broken").write_text("not an id\n")
    (heads / "linked").symlink_to(heads / "main")


@pytest.mark.parametrize("state", [_loose, _packed, _packed_and_moved, _packed_and_deleted, _odd])
def test_every_ref_is_what_git_says(project: Project, state: Callable[[Project], None]) -> None:
    state(project)
    repository = project.repository()
    for ref in [f"refs/heads/{name}" for name in NAMES] + [
        "refs/dev-agent/anchors",
        "refs/heads/mai",
        "HEAD",
    ]:
        assert read_ref(repository, ref) == asked_of_git(repository, ref), ref


@pytest.mark.parametrize("state", [_loose, _packed, _packed_and_moved, _packed_and_deleted])
def test_ordinary_refs_and_head_need_no_child(project: Project, state: Callable[[Project], None]) -> None:
    state(project)
    repository = project.repository()
    head = repository.git.line("rev-parse", "HEAD")
    alone = without_git(repository)
    assert loose_ref(alone, "refs/heads/main") == head
    assert loose_ref(alone, "refs/heads/nowhere") is None
    assert read_head(alone).commit == head
    assert read_head(alone).branch == "main"


def test_what_is_no_plain_file_is_left_to_git(project: Project) -> None:
    _odd(project)
    repository = project.repository()
    for name in ("symbolic", "broken", "linked"):
        assert loose_ref(repository, f"refs/heads/{name}") is UNKNOWN
    for ref in ("HEAD", "refs/bisect/bad", "refs/heads/../../HEAD", "main"):
        assert loose_ref(repository, ref) is UNKNOWN


def test_a_repository_of_another_format_is_left_to_git(project: Project) -> None:
    """`reftable` keeps a HEAD that names `refs/heads/.invalid`, and no file of a ref."""
    repository = project.repository()
    (project.root / ".git/reftable").mkdir()
    assert loose_ref(repository, "refs/heads/main") is UNKNOWN
    assert branch_of_head(repository) is UNKNOWN


def test_head_unborn_detached_linked_and_in_a_packed_clone(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = replace(project, root=tmp_path / "side").repository()
    assert read_head(without_git(side)).branch == "side"
    project.git("checkout", "-q", "--orphan", "new")
    assert read_head(without_git(project.repository())).commit is None
    project.git("checkout", "-q", "--detach", "main")
    assert branch_of_head(project.repository()) is UNKNOWN
    assert read_head(project.repository()).ref is None
    copied = clone(project, tmp_path / "copy").repository()
    copied.git.out("repack", "-adq")
    assert read_head(copied).commit == project.git("rev-parse", "main")


def test_a_branch_that_names_no_commit_is_not_believed_to(project: Project) -> None:
    repository = project.repository()
    (blob,) = ObjectStore(repository).write([NewObject(kind="blob", data=b"no commit")])
    (project.root / ".git/refs/heads/main").write_text(f"{blob}\n")
    assert read_head(repository).commit is None


def test_names_in_a_tree_are_found_without_a_child_and_as_git_finds_them(project: Project) -> None:
    repository = project.repository()
    head = project.git("rev-parse", "HEAD")
    blob = project.git("rev-parse", "HEAD:pkg/b.py")
    names = [f"{head}:pkg/b.py", f"{head}:pkg", f"{head}:none", f"{head}:pkg/none", blob]
    found = ObjectStore(without_git(repository)).resolve(names)
    assert found == [blob, project.git("rev-parse", "HEAD:pkg"), None, None, blob]
    many = ObjectStore(repository).resolve(names * 20)
    assert many == found * 20
    assert ObjectStore(repository).resolve(["0" * 40, f"{head}:a.py/x", *names]) == [None, None, *found]
