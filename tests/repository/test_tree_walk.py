"""Differences told without git are those git tells, and what it might see otherwise is left to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.errors import GitFailed
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.repository.tree_bytes import Entry, parse_sound_tree, parse_tree, render_tree
from dev_agent.repository.tree_diff import parse_raw, tree_difference
from dev_agent.repository.tree_walk import MOST_FOLDERS, TooFar, walk_difference
from tests.testing.repos import Project, make_repository

_ONE, _OTHER = "1" * 40, "2" * 40
_NAMES = st.sampled_from([b"a", b"b", b"a.b", b"a-b", b"a0", b"A", b"\xff", b"new\nline", b" ", b'"', b"-x"])
_FILES = st.tuples(
    st.sampled_from(["100644", "100755", "120000", "160000", "100664"]), st.sampled_from([_ONE, _OTHER])
)
Nested = Mapping[bytes, "Entry | Nested"]
TREES: st.SearchStrategy[Nested] = st.recursive(
    st.dictionaries(_NAMES, _FILES, max_size=4),
    lambda below: st.dictionaries(_NAMES, _FILES | below, max_size=4),
    max_leaves=12,
)


def written(store: ObjectStore, tree: Nested) -> str:
    """Store a tree with all its folders, as they are: an empty one too."""
    entries = {
        name: ("40000", written(store, one)) if isinstance(one, Mapping) else one
        for name, one in tree.items()
    }
    return store.write([NewObject(kind="tree", data=render_tree(entries))])[0]


@pytest.mark.law
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TREES, new=TREES)
def test_the_same_paths_in_the_same_order_with_the_same_letters_as_git(
    project: Project, old: Nested, new: Nested
) -> None:
    """Law: walking tells what `git diff-tree` tells."""
    store = ObjectStore(project.repository())
    one, other = written(store, old), written(store, new)
    said = project.git_bytes("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", one, other)

    assert walk_difference(store.folder_here, one, other) == parse_raw(said)


def test_only_folders_that_differ_are_read() -> None:
    inside = render_tree({b"x": ("100644", _ONE)})
    trees = {
        "old": {b"same": ("40000", "s"), b"d": ("40000", "one")},
        "new": {b"same": ("40000", "s"), b"d": ("40000", "two")},
        "one": parse_tree(inside, 20),
        "two": {b"x": ("100755", _ONE)},
    }
    read: list[str] = []

    def reader(tree: str) -> Mapping[bytes, Entry] | None:
        read.append(tree)
        return trees[tree]

    (found,) = walk_difference(reader, "old", "new")

    assert (found.path, found.status) == ("d/x", "M")
    assert read == ["old", "new", "one", "two"]


def test_many_folders_are_left_to_git(project: Project) -> None:
    store = ObjectStore(project.repository())
    deep: Nested = {b"x": ("100644", _ONE)}
    for _ in range(MOST_FOLDERS):
        deep = {b"d": deep}
    old, new = written(store, {}), written(store, deep)

    with pytest.raises(TooFar):
        walk_difference(store.folder_here, old, new)
    assert [one.path for one in tree_difference(project.repository(), old, new)] == [
        "d/" * MOST_FOLDERS + "x"
    ]


def _row(mode: bytes, name: bytes) -> bytes:
    return mode + b" " + name + b"\0" + b"1" * 20


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_row(b"100644", b"b") + _row(b"100644", b"a"), id="out of order"),
        pytest.param(_row(b"100644", b"a") + _row(b"100755", b"a"), id="a file twice"),
        pytest.param(_row(b"100644", b"a") + _row(b"40000", b"a"), id="a file and a folder of one name"),
        pytest.param(_row(b"100644", b""), id="no name"),
        pytest.param(_row(b"100644", b"a/b"), id="a slash in a name"),
        pytest.param(_row(b"100644", b"a")[:-1], id="cut short"),
        pytest.param(b"junk" + _row(b"100644", b"a"), id="junk in front"),
        pytest.param(b"100644 a", id="no id"),
    ],
)
def test_a_tree_that_git_would_not_write_is_not_read_here(data: bytes) -> None:
    with pytest.raises(ValueError, match="tree"):
        parse_sound_tree(data, 20)


def test_an_entry_named_twice_is_seen_as_git_sees_it(project: Project) -> None:
    """A walk that took the last of both would hide the first from the gates."""
    twice = _row(b"100644", b"a") + _row(b"100755", b"a")
    bad = project.git("hash-object", "-t", "tree", "-w", "--stdin", "--literally", stdin=twice)
    empty = project.git("hash-object", "-t", "tree", "-w", "--stdin")

    assert [one.path for one in tree_difference(project.repository(), empty, bad)] == ["a", "a"]


def test_a_mode_nobody_writes_is_left_to_git() -> None:
    trees: dict[str, Mapping[bytes, Entry]] = {"old": {}, "new": {b"a": ("100600", _ONE)}}
    with pytest.raises(TooFar):
        walk_difference(trees.get, "old", "new")


def test_a_tree_that_is_not_there_is_gits_refusal(project: Project) -> None:
    store = ObjectStore(project.repository())
    (broken,) = store.write([NewObject(kind="tree", data=render_tree({b"d": ("40000", _ONE)}))])
    for missing in (_OTHER, broken):
        with pytest.raises(GitFailed):
            tree_difference(project.repository(), project.tree(), missing)


def test_packed_trees_and_sha256_are_told_too(tmp_path: Path) -> None:
    for form in ("sha1", "sha256"):
        project = make_repository(tmp_path / form, {"a": b"1", "d/b": b"2"}, object_format=form)
        old = project.tree()
        project.commit("second", {"d/b": b"3", "d/c": b"4", "a": None})
        project.git("gc", "--quiet", "--prune=now")

        found = tree_difference(project.repository(), old, project.tree())

        assert [(one.path, one.status) for one in found] == [("a", "D"), ("d/b", "M"), ("d/c", "A")]


def test_a_name_that_may_come_to_mean_something_else_is_asked_each_time(project: Project) -> None:
    repository = project.repository()
    first = project.tree()
    assert tree_difference(repository, "HEAD^{tree}", first) == ()

    project.commit("second", {"a.py": b"A = 2\n"})

    assert [one.path for one in tree_difference(repository, "HEAD^{tree}", first)] == ["a.py"]


def test_a_mode_spelled_otherwise_is_no_difference(project: Project) -> None:
    store = ObjectStore(project.repository())
    inside = written(store, {b"x": ("100644", _ONE)})
    old, new = (written(store, {b"d": (mode, inside)}) for mode in ("40000", "040000"))

    assert old != new
    assert tree_difference(project.repository(), old, new) == ()
