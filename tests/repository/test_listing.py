"""The paths of a tree, told from another one's: the same as git lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dev_agent.repository.listing import parents
from dev_agent.repository.objects import GitTree
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.repository.tree_bytes import render_tree
from dev_agent.repository.tree_walk import walk_difference
from dev_agent.repository.trees import RepositoryTrees
from tests.repository.test_slots import fresh, look
from tests.repository.test_tree_walk import TREES, Nested, written
from tests.testing.repos import Project
from tests.testing.traced_git import traced


def _as_git_makes(tree: Nested) -> Nested:
    """Without folders that have nothing in them."""
    parts = {name: _as_git_makes(one) if isinstance(one, Mapping) else one for name, one in tree.items()}
    return {name: one for name, one in parts.items() if one}


@pytest.mark.law
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TREES, new=TREES)
def test_what_is_told_from_another_tree_is_what_git_lists(project: Project, old: Nested, new: Nested) -> None:
    """Law: files with modes and ids, and the folders above them."""
    repository = project.repository()
    store = ObjectStore(repository)
    one, other = written(store, _as_git_makes(old)), written(store, _as_git_makes(new))
    known, told, asked = (GitTree(repository, each) for each in (one, other, other))
    asked.paths()
    places = {above for path in known.paths() for above in (*parents(path), path)} | {
        *asked.paths(),
        "nothing",
    }

    told.list_from(known, walk_difference(store.folder_here, one, other))

    assert told.paths() == asked.paths()
    assert {path: told.mode(path) for path in places} == {path: asked.mode(path) for path in places}
    assert all(told.entry(path) == asked.entry(path) for path in places)


def test_a_second_tree_is_listed_without_a_child(project: Project, tmp_path: Path) -> None:
    seen = traced(project, tmp_path)
    trees, tree = RepositoryTrees(seen.project.repository()), project.tree()
    trees.paths(tree)
    made = trees.compose(tree, {"pkg/b.py": None, "pkg/run.sh": None, "new/a.py": trees.entry(tree, "a.py")})
    seen.forget()

    assert (trees.paths(made), seen.asked()) == (("a.py", "link", "new/a.py"), [])


def test_a_tree_with_an_entry_twice_is_listed_by_git(project: Project) -> None:
    """Told from the difference, the path would be gone: git names the entry that went, and another one stays."""
    repository = project.repository()
    blobs = [bytes.fromhex(project.blob(one)) for one in (b"1", b"2")]
    twice = b"".join(b"100644 a\0" + one for one in blobs)
    bad = project.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=twice)
    (once,) = ObjectStore(repository).write(
        [NewObject(kind="tree", data=render_tree({b"a": ("100644", blobs[0].hex())}))]
    )
    trees = RepositoryTrees(repository)
    trees.paths(bad)

    assert trees.paths(once) == ("a",)


def test_a_slot_that_is_filled_with_a_listed_tree_is_as_any_other(project: Project, tmp_path: Path) -> None:
    seen = traced(project, tmp_path)
    tree = project.make_tree(
        {
            "d/run": ("100755", b"#!/bin/sh\n"),
            "d/to": ("120000", b"run"),
            "sub": ("160000", project.git("rev-parse", "HEAD").encode()),
        }
    )
    trees = RepositoryTrees(seen.project.repository())
    trees.paths(tree)
    seen.forget()

    with trees.lease("types") as slot:
        slot.checkout(tree)
        asked = seen.asked()
        assert look(slot.path) == fresh(project, tree)
        assert slot.altered() == ()
    assert "ls-files" not in asked
