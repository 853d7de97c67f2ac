from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault
from dev_agent.gates.subject import Trees
from dev_agent.repository import trees as trees_module
from dev_agent.repository.trees import RepositoryTrees
from tests.testing.repos import Project, make_repository


def test_it_is_what_the_gates_ask_for(project: Project) -> None:
    trees: Trees = RepositoryTrees(project.repository())

    with trees.lease("types") as checkout:
        assert (checkout.checkout(project.tree()) / "a.py").exists()


def test_look_ups_by_tree(project: Project) -> None:
    trees, tree = RepositoryTrees(project.repository()), project.tree()

    assert trees.paths(tree) == ("a.py", "link", "pkg/b.py", "pkg/run.sh")
    assert trees.read(tree, "pkg/b.py") == b"B = 2\n"
    assert trees.read(tree, "nothing") is None
    assert trees.read(tree, "pkg") is None
    assert trees.entry(tree, "pkg/run.sh") == ("100755", project.git("rev-parse", "HEAD:pkg/run.sh"))
    assert trees.entry(tree, "nothing") is None
    trees.close()
    assert trees.read(tree, "a.py") == b"A = 1\n"


def test_a_submodule_has_an_entry_but_no_bytes(project: Project) -> None:
    head = project.git("rev-parse", "HEAD")
    tree = project.make_tree({"sub": ("160000", head.encode())})
    trees = RepositoryTrees(project.repository())

    assert trees.entry(tree, "sub") == ("160000", head)
    assert trees.read(tree, "sub") is None


def test_composed_trees_differ_as_asked(project: Project) -> None:
    trees, tree = RepositoryTrees(project.repository()), project.tree()
    link = project.blob(b"pkg/b.py")

    made = trees.compose(
        tree,
        {"a.py": None, "new": ("100644", link), "pkg/b.py": ("120000", link), "pkg/run.sh": ("100644", link)},
    )

    assert trees.diff(tree, made) == (("a.py", "D"), ("new", "A"), ("pkg/b.py", "T"), ("pkg/run.sh", "M"))
    assert trees.diff(tree, tree) == ()


def test_a_rename_is_a_deletion_and_an_addition(project: Project) -> None:
    project.git("config", "diff.renames", "copies")
    trees, tree = RepositoryTrees(project.repository()), project.tree()
    blob = project.git("rev-parse", "HEAD:a.py")

    made = trees.compose(tree, {"a.py": None, "moved.py": ("100644", blob)})

    assert trees.diff(tree, made) == (("a.py", "D"), ("moved.py", "A"))


def test_the_users_diff_settings_do_not_hide_a_path(project: Project) -> None:
    head = project.git("rev-parse", "HEAD").encode()
    for name, value in {
        "diff.ignoreSubmodules": "all",
        "diff.relative": "true",
        "diff.renames": "true",
    }.items():
        project.git("config", name, value)
    old = project.make_tree({"sub": ("160000", head), "a": ("100644", b"same\n" * 50)})
    new = project.make_tree({"sub": ("160000", b"2" * 40), "b": ("100644", b"same\n" * 50)})

    found = RepositoryTrees(project.repository()).diff(old, new)

    assert found == (("a", "D"), ("b", "A"), ("sub", "M"))


def test_odd_names_survive_a_diff(tmp_path: Path) -> None:
    names = ("new\nline", "tab\tx", "byte\udcff", ' "q" ')
    project = make_repository(tmp_path, {"keep": b""})
    trees = RepositoryTrees(project.repository())

    made = trees.compose(project.tree(), {name: ("100644", project.blob(b"")) for name in names})

    assert dict(trees.diff(project.tree(), made)) == dict.fromkeys(names, "A")


def test_a_diff_with_what_is_not_there_is_refused(project: Project) -> None:
    with pytest.raises(RepositoryFault) as refused:
        RepositoryTrees(project.repository()).diff(project.tree(), "1" * 40)

    assert refused.value.code == "missing-objects"


def test_a_lease_is_a_private_work_tree(project: Project) -> None:
    trees = RepositoryTrees(project.repository())

    with trees.lease("tests") as first, trees.lease("tests") as second:
        assert first.checkout(project.tree()) != second.checkout(project.tree())
        assert (first.path / "a.py").read_bytes() == b"A = 1\n"


def test_only_the_trees_used_last_stay_listed(project: Project) -> None:
    trees = RepositoryTrees(project.repository())
    made = [project.make_tree({"f": ("100644", b"%d" % number)}) for number in range(trees_module._KEPT + 2)]

    for number, tree in enumerate([*made, *reversed(made)]):
        wanted = min(number, 2 * len(made) - 1 - number)
        assert trees.read(tree, "f") == b"%d" % wanted

    assert len(trees._opened) == trees_module._KEPT
