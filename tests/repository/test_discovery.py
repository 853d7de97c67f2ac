from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault, GitFailed, RepositoryFault
from dev_agent.repository.discovery import discover, read_head, resolve_commit, tree_of
from tests.testing.repos import Project, clone, isolated_environ, make_repository


def refused(start: Path, environ: dict[str, str]) -> RepositoryFault:
    with pytest.raises(RepositoryFault) as caught:
        discover(start, environ)
    return caught.value


def fake_git(tmp_path: Path, script: str) -> dict[str, str]:
    """An environment whose git is `script`."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    return {**isolated_environ(tmp_path / "home"), "PATH": str(program.parent)}


def test_it_is_found_from_a_folder_inside(project: Project) -> None:
    found = discover(project.root / "pkg", project.environ)

    assert found.root == found.work_tree == found.git.cwd == project.root
    assert found.git_dir == found.common_dir == project.root / ".git"
    assert found.state_dir == project.root / ".git" / "dev-agent"
    assert (found.object_format, found.zero) == ("sha1", "0" * 40)
    assert found.git_version[0].isdigit()


def test_inherited_git_variables_do_not_lead_elsewhere(project: Project, tmp_path: Path) -> None:
    other = make_repository(tmp_path, {"x": b""}, name="other")
    misled = project.with_environ(GIT_DIR=str(other.git_dir), GIT_WORK_TREE=str(other.root))

    found = misled.repository()

    assert found.root == project.root
    assert found.git.line("rev-parse", "HEAD") == project.git("rev-parse", "HEAD")


def test_a_linked_work_tree_shares_the_state_only(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = replace(project, root=tmp_path / "linked").repository()

    assert linked.root == tmp_path / "linked"
    assert linked.git_dir == project.git_dir / "worktrees" / "linked"
    assert linked.common_dir == project.git_dir
    assert linked.state_dir == project.repository().state_dir
    assert read_head(linked).branch == "side"


def test_a_separate_git_dir_and_a_sha256_repository(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a": b""}, object_format="sha256")
    project.git("init", "-q", "--separate-git-dir", str(tmp_path / "away"))

    found = project.repository()

    assert found.git_dir == tmp_path / "away"
    assert (found.object_format, found.zero) == ("sha256", "0" * 64)


def test_a_bare_repository_has_no_work_tree(project: Project, tmp_path: Path) -> None:
    bare = clone(project, tmp_path / "bare.git", "--bare").repository()

    assert bare.root is None
    assert bare.git_dir == bare.common_dir == bare.git.cwd == tmp_path / "bare.git"
    with pytest.raises(RepositoryFault) as caught:
        _ = bare.work_tree
    assert caught.value.code == "bare-repo"


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    fault = refused(tmp_path, isolated_environ(tmp_path / "home"))

    assert fault.code == "not-a-repository"
    assert "git init" in fault.hint


def test_a_start_that_is_no_folder(project: Project) -> None:
    environ = dict(project.environ)
    assert refused(project.root / "a.py", environ).code == "not-a-directory"
    assert refused(project.root / "nothing", environ).code == "not-a-directory"


def test_a_start_inside_the_git_dir(project: Project) -> None:
    assert refused(project.git_dir / "objects", dict(project.environ)).code == "inside-git-dir"


def test_a_repository_of_somebody_else_is_the_users_decision(tmp_path: Path) -> None:
    environ = fake_git(
        tmp_path,
        'for a; do case $a in version) echo "git version 2.40.0"; exit;; esac; done\n'
        'echo "fatal: detected dubious ownership in repository" >&2; exit 128\n',
    )

    fault = refused(tmp_path, environ)

    assert fault.code == "unsafe-repository"
    assert f"safe.directory {tmp_path}" in fault.hint


def test_a_repository_git_cannot_read(project: Project) -> None:
    project.git("config", "core.repositoryFormatVersion", "99")

    fault = refused(project.root, dict(project.environ))

    assert fault.code == "unreadable-repository"
    assert "99" in fault.message


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("git version 2.37.9", "too old"),
        ("git version 1.99", "too old"),
        ("something else", "gives no version"),
    ],
)
def test_a_git_that_will_not_do(tmp_path: Path, said: str, complaint: str) -> None:
    with pytest.raises(EnvironmentFault, match=complaint):
        discover(tmp_path, fake_git(tmp_path, f'echo "{said}"\n'))


def test_head_on_a_branch_detached_and_unborn(project: Project, tmp_path: Path) -> None:
    commit = project.git("rev-parse", "HEAD")
    on_branch = read_head(project.repository())
    assert (on_branch.ref, on_branch.commit, on_branch.branch) == ("refs/heads/main", commit, "main")

    project.git("checkout", "-q", "--detach")
    detached = read_head(project.repository())
    assert (detached.ref, detached.commit, detached.branch) == (None, commit, None)

    unborn = read_head(make_repository(tmp_path, name="unborn").repository())
    assert (unborn.ref, unborn.commit, unborn.branch) == ("refs/heads/main", None, "main")


def test_a_head_that_cannot_be_read_is_said(project: Project) -> None:
    repository = project.repository()
    (project.git_dir / "HEAD").write_bytes(b"junk")

    with pytest.raises(GitFailed):
        read_head(repository)


def test_names_resolve_to_commits_only(project: Project) -> None:
    repository, commit = project.repository(), project.git("rev-parse", "HEAD")

    assert resolve_commit(repository, "main") == resolve_commit(repository, commit[:10]) == commit
    assert resolve_commit(repository, "nothing") is None
    assert resolve_commit(repository, project.tree()) is None
    assert resolve_commit(repository, "--all") is None


def test_the_tree_of_a_commit_and_of_nothing(project: Project) -> None:
    repository = project.repository()

    assert tree_of(repository, project.git("rev-parse", "HEAD")) == project.tree()
    assert tree_of(repository, None) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    with pytest.raises(GitFailed):
        tree_of(repository, "1" * 40)
