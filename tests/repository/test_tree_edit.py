"""Editing trees by hand: git reads exactly what was meant, whatever was asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.repository.objects import parse_listing
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.repository.tree_bytes import Entry, parse_tree, render_tree
from dev_agent.repository.tree_edit import PathsRefused, TreeEdit
from tests.testing.repos import make_repository

_NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "é"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_ENTRIES = st.tuples(st.sampled_from(["100644", "100755"]), st.sampled_from(["1" * 40, "2" * 40]))


class Trees:
    """Trees in memory."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def id_of(self, data: bytes) -> str:
        digest = hashlib.sha1(b"tree %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
        self.known[digest] = data
        return digest

    def edit(self, tree: str, replacements: dict[str, Entry | None]) -> str:
        return TreeEdit(folder=lambda name: parse_tree(self.known[name], 20), id_of=self.id_of).edit(
            tree, replacements
        )

    def files(self, tree: str, above: str = "") -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for name, (mode, object_id) in parse_tree(self.known[tree], 20).items():
            path = above + name.decode()
            if mode == "40000":
                found |= self.files(object_id, path + "/")
            else:
                found[path] = (mode, object_id)
        return found


def is_a_tree(files: dict[str, Entry]) -> bool:
    """True if no file is also a folder."""
    folders = {path.rsplit("/", n)[0] for path in files for n in range(1, path.count("/") + 1)}
    return not folders & files.keys()


@given(
    base=st.dictionaries(_PATHS, _ENTRIES).filter(is_a_tree),
    wanted=st.dictionaries(_PATHS, st.none() | _ENTRIES),
)
def test_an_edited_tree_holds_what_the_same_edit_makes_of_a_mapping(
    base: dict[str, Entry], wanted: dict[str, Entry | None]
) -> None:
    trees = Trees()
    empty = trees.id_of(b"")
    tree = trees.edit(empty, {**base})
    assert trees.files(tree) == base
    left = {path: entry for path, entry in base.items() if path not in wanted}
    after = left | {path: entry for path, entry in wanted.items() if entry}
    if is_a_tree(after):
        assert trees.files(trees.edit(tree, wanted)) == after
    else:
        with pytest.raises(PathsRefused) as refused:
            trees.edit(tree, wanted)
        assert set(refused.value.paths) <= {path for path, entry in wanted.items() if entry}


@given(files=st.dictionaries(_PATHS, _ENTRIES, min_size=1).filter(is_a_tree))
def test_trees_are_written_in_gits_order_and_read_back(files: dict[str, Entry]) -> None:
    trees = Trees()
    tree = trees.edit(trees.id_of(b""), {**files})
    assert all(render_tree(parse_tree(data, 20)) == data for data in trees.known.values())
    rows = parse_tree(trees.known[tree], 20)
    assert list(rows) == sorted(rows, key=lambda name: name + b"/" * (rows[name][0] == "40000"))


def test_git_finds_nothing_wrong_with_a_tree_made_here(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.txt": b"1\n", "a/b.py": b"2\n", "a-b/c/d.py": b"3\n"})
    store = ObjectStore(project.repository())
    edit = TreeEdit(folder=store.folder, id_of=lambda data: store.id_of(data, "tree"))
    (blob,) = store.write([NewObject(kind="blob", data=b"new\n")])
    made = edit.edit(
        project.git("rev-parse", "HEAD^{tree}"),
        {"a/b.py": None, "a.d/x": ("100755", blob), "a-b/c/e\n": ("100644", blob), "gone/x": None},
    )
    store.write([NewObject(kind="tree", data=data) for data in edit.written])
    listed, _ = parse_listing(project.git_bytes("ls-tree", "-r", "-t", "-z", made))
    assert sorted(listed) == ["a-b/c/d.py", "a-b/c/e\n", "a.d/x", "a.txt"]
    project.git("fsck", "--strict")
    assert project.git("read-tree", "--index-output=" + str(tmp_path / "index"), made) == ""


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (".git/config", "100644"),
        ("a/.GIT/hooks/x", "100644"),
        ("a/../b", "100644"),
        ("/a", "100644"),
        ("git~1/x", "100644"),
        (".gitmodules", "120000"),
        ("a/.GITMODULES ", "120000"),
        ("GITMOD~1", "120000"),
    ],
)
def test_what_git_would_not_check_out_is_refused(path: str, mode: str) -> None:
    trees = Trees()
    with pytest.raises(PathsRefused) as refused:
        trees.edit(trees.id_of(b""), {path: (mode, "1" * 40)})
    assert refused.value.paths == (path,)
