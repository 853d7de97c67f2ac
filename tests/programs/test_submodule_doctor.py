"""What the doctor says where a part of the work tree is not in the tree that is judged."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from dev_agent.programs.finding import Finding
from dev_agent.programs.submodule_doctor import submodule_findings
from dev_agent.repository.trees import RepositoryTrees
from tests.testing.repos import Project, make_repository


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a file and the submodules vendor/one and vendor/two, of which one is checked out."""
    project = make_repository(tmp_path, {"a.txt": b"1\n", ".gitmodules": b"\n"})
    for name in ("vendor/one", "vendor/two"):
        project.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{name}")
    project.git("commit", "--quiet", "-m", "submodules")
    project.write("vendor/one/.git", b"gitdir: nowhere\n")
    project.write("vendor/one/module.py", b"VALUE = 1\n")
    project.write("vendor/two/.git", b"gitdir: nowhere\n")
    return project


def found(project: Project, *include: str) -> list[Finding]:
    with closing(RepositoryTrees(project.repository())) as trees:
        return submodule_findings(project.root, trees, project.tree(), include)


def test_files_of_a_submodule_that_no_gate_sees_are_named_with_the_line_that_shows_them(
    project: Project,
) -> None:
    before = project.snapshot()
    (one,) = found(project)
    assert (one.topic, one.status) == ("submodules", "warn")
    assert one.detail.endswith("the files of vendor/one")
    assert 'include = ["vendor/one"]' in one.remedy
    assert project.snapshot() == before


@pytest.mark.parametrize("include", ["vendor/one", "vendor", "vendor/*", "vendor/one/module.py"])
def test_a_submodule_that_is_included_is_nothing_to_speak_of(project: Project, include: str) -> None:
    assert found(project, include) == []


def test_including_something_else_shows_no_submodule(project: Project) -> None:
    assert len(found(project, "a.txt", "absent/*")) == 1


def test_a_folder_in_the_place_of_a_file_is_no_submodule(project: Project) -> None:
    (project.root / "a.txt").unlink()
    project.write("a.txt/inner", b"1\n")
    (one,) = found(project)
    assert "a.txt" not in one.detail


def test_without_submodules_nothing_is_said(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.txt": b"1\n"})
    project.write("vendor/one/module.py", b"VALUE = 1\n")
    assert found(project) == []
