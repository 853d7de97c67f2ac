from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from dev_agent.edits.trees import BaseTree
from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.objects import GitTree, canonical_mode, parse_listing
from dev_agent.repository.store import NewObject, ObjectStore
from tests.testing.repos import Project, clone, make_repository

ODD_NAMES = ("new\nline", "tab\there", 'quo"te', "-dash", " blank ", "byte\udcff", "back\\slash", "ünïcode")


def tree_of_head(project: Project) -> GitTree:
    return GitTree(project.repository(), project.git("rev-parse", "HEAD"))


def test_it_is_a_base_tree_for_edits(project: Project) -> None:
    tree: BaseTree = tree_of_head(project)

    assert tree.paths() == ("a.py", "link", "pkg/b.py", "pkg/run.sh")
    assert [tree.mode(path) for path in ("a.py", "link", "pkg/run.sh", "pkg")] == [
        "100644",
        "120000",
        "100755",
        "040000",
    ]
    assert tree.mode("nothing") is None
    assert tree.read("pkg/b.py") == b"B = 2\n"
    assert tree.read("link") == b"a.py"


def test_entries_are_files_only(project: Project) -> None:
    tree = tree_of_head(project)

    assert tree.entry("a.py") == ("100644", project.git("rev-parse", "HEAD:a.py"))
    assert tree.entry("pkg") is None
    assert tree.entry("nothing") is None


def test_what_is_not_a_file_cannot_be_read(project: Project) -> None:
    head = project.git("rev-parse", "HEAD")
    with_module = project.make_tree({"sub": ("160000", head.encode()), "f": ("100644", b"")})
    tree = GitTree(project.repository(), with_module)

    assert tree.mode("sub") == "160000"
    for path in ("nothing", "sub"):
        with pytest.raises(KeyError):
            tree.read(path)
        with pytest.raises(KeyError):
            tree.read_many(["f", path])


def test_a_tree_and_its_commit_read_the_same(project: Project) -> None:
    by_commit = tree_of_head(project)
    by_tree = GitTree(project.repository(), by_commit.tree)

    assert by_tree.tree == by_commit.tree == project.tree()
    assert by_tree.paths() == by_commit.paths()


def test_nothing_is_the_empty_tree(tmp_path: Path) -> None:
    unborn = make_repository(tmp_path)
    tree = GitTree(unborn.repository(), None)

    assert tree.tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert tree.paths() == ()


def test_the_tree_is_the_one_named_whatever_the_work_tree_holds(project: Project) -> None:
    tree = tree_of_head(project)
    project.commit("second", {"a.py": b"A = 3\n"})
    project.write("a.py", b"not even committed")

    assert tree.read("a.py") == b"A = 1\n"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_odd_names_and_bytes_survive(tmp_path: Path, object_format: str) -> None:
    files = {name: name.encode("utf-8", "surrogateescape") + b"\r\n\0" for name in ODD_NAMES}
    project = make_repository(
        tmp_path, {"d/" + name: data for name, data in files.items()}, object_format=object_format
    )
    tree = tree_of_head(project)

    assert tree.paths() == tuple(sorted("d/" + name for name in ODD_NAMES))
    assert {name: tree.read("d/" + name) for name in ODD_NAMES} == files
    assert tree.read_many(["d/" + name for name in ODD_NAMES]) == {
        "d/" + n: data for n, data in files.items()
    }


def test_packed_and_deltified_objects_are_read(tmp_path: Path) -> None:
    body = b"".join(b"line %d\n" % number for number in range(2000))
    project = make_repository(tmp_path, {"big": body})
    project.commit("grow", {"big": body + b"one more\n"})
    project.git("repack", "-adfq")
    old, new = GitTree(project.repository(), project.git("rev-parse", "HEAD~")), tree_of_head(project)

    assert project.git("count-objects") == "0 objects, 0 kilobytes"
    assert (old.read("big"), new.read("big")) == (body, body + b"one more\n")


def test_a_repack_in_between_is_not_noticed(project: Project) -> None:
    tree = tree_of_head(project)
    assert tree.read("a.py") == b"A = 1\n"
    project.git("repack", "-adq")

    assert tree.read("pkg/b.py") == b"B = 2\n"


def test_a_closed_tree_opens_again(project: Project) -> None:
    tree = tree_of_head(project)
    tree.read("a.py")
    tree.close()

    assert tree.read("pkg/b.py") == b"B = 2\n"


def test_objects_borrowed_from_another_repository_are_read(project: Project, tmp_path: Path) -> None:
    borrower = clone(project, tmp_path / "borrower", "--shared")

    assert borrower.git("count-objects") == "0 objects, 0 kilobytes"
    assert tree_of_head(borrower).read("a.py") == b"A = 1\n"


def test_objects_borrowed_by_a_relative_path_are_read(project: Project, tmp_path: Path) -> None:
    borrower = clone(project, tmp_path / "borrower", "--shared")
    (borrower.git_dir / "objects/info/alternates").write_text("../../../project/.git/objects\n")

    assert tree_of_head(borrower).read("a.py") == b"A = 1\n"


def test_a_shallow_clone_is_read(project: Project, tmp_path: Path) -> None:
    project.commit("second", {"a.py": b"A = 2\n"})
    shallow = clone(project, tmp_path / "shallow", "--depth=1")
    old = project.git("rev-parse", "HEAD~")

    assert tree_of_head(shallow).read("a.py") == b"A = 2\n"
    with pytest.raises(RepositoryFault) as refused:
        GitTree(shallow.repository(), old).paths()
    assert refused.value.code == "missing-objects"
    assert "git fetch --unshallow" in refused.value.hint
    with pytest.raises(RepositoryFault, match=old):
        _ = GitTree(shallow.repository(), old).tree


def test_a_partial_clone_says_what_is_missing_and_fetches_nothing(project: Project, tmp_path: Path) -> None:
    project.git("config", "uploadpack.allowFilter", "true")
    partial = clone(project, tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    before = partial.snapshot()
    tree = tree_of_head(partial)

    assert "a.py" in tree.paths()
    with pytest.raises(RepositoryFault) as refused:
        tree.read("a.py")
    assert refused.value.code == "missing-objects"
    assert project.git("rev-parse", "HEAD:a.py") in refused.value.message
    assert partial.snapshot() == before
    assert not list((partial.git_dir / "objects").glob("??/*"))


def test_a_damaged_object_is_refused_not_believed(project: Project) -> None:
    blob = project.git("rev-parse", "HEAD:a.py")
    other = project.git("rev-parse", "HEAD:pkg/b.py")
    objects = project.git_dir / "objects"
    target = objects / blob[:2] / blob[2:]
    target.chmod(0o644)
    shutil.copyfile(objects / other[:2] / other[2:], target)
    store = ObjectStore(project.repository())

    for attempt in (lambda: store.read(blob), lambda: store.read_many([blob, other])):
        with pytest.raises(RepositoryFault) as refused:
            attempt()
        assert refused.value.code == "damaged-object"


def test_an_object_that_is_not_there_is_named(project: Project) -> None:
    blob = project.git("rev-parse", "HEAD:a.py")

    with pytest.raises(RepositoryFault, match="1" * 40) as refused:
        ObjectStore(project.repository()).read_many([blob, "1" * 40])
    assert refused.value.code == "missing-objects"


def test_an_unreadable_object_is_said_to_be_one(project: Project) -> None:
    blob = project.git("rev-parse", "HEAD:a.py")
    target = project.git_dir / "objects" / blob[:2] / blob[2:]
    target.chmod(0o644)
    target.write_bytes(b"junk")

    with pytest.raises(RepositoryFault, match="unable to unpack"):
        ObjectStore(project.repository()).read(blob)


def test_a_git_that_cannot_answer_is_a_failure(project: Project) -> None:
    repository, blob = project.repository(), project.git("rev-parse", "HEAD:a.py")
    (project.git_dir / "HEAD").unlink()

    with pytest.raises(GitFailed):
        ObjectStore(repository).read_many([blob])


def test_an_object_of_another_kind_is_refused(project: Project) -> None:
    with pytest.raises(RepositoryFault, match="is not the blob"):
        ObjectStore(project.repository()).read(project.tree())


def test_replaced_objects_are_read_as_they_were(project: Project) -> None:
    original, stand_in = project.git("rev-parse", "HEAD:a.py"), project.blob(b"evil\n")
    project.git("replace", original, stand_in)

    store = ObjectStore(project.repository())
    assert store.read(original) == b"A = 1\n"
    assert store.read_many([original]) == {original: b"A = 1\n"}


def test_many_threads_may_read_one_tree(project: Project) -> None:
    project.commit("more", {f"f{number}": b"%d" % number for number in range(40)})
    project.git("repack", "-adq")
    tree = tree_of_head(project)
    wrong: list[int] = []

    def read_all() -> None:
        wrong.extend(n for n in range(40) if tree.read(f"f{n}") != b"%d" % n)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_written_objects_have_the_ids_git_gives_them(tmp_path: Path, object_format: str) -> None:
    project = make_repository(tmp_path, object_format=object_format)
    bodies = [b"", b"x", b"x" * 15, b"x" * 16, b"x" * 70_000, b"\0\r\n", b"x"]
    store = ObjectStore(project.repository())

    ids = store.write([NewObject(kind="blob", data=body) for body in bodies])

    assert list(ids) == [project.blob(body) for body in bodies]
    assert [project.git_bytes("cat-file", "blob", object_id) for object_id in ids] == bodies
    project.git("fsck", "--strict")


def test_writing_nothing_and_reading_nothing_is_fine(project: Project) -> None:
    store = ObjectStore(project.repository())

    assert store.write([]) == ()
    assert store.read_many([]) == {}
    assert store.resolve([]) == []


def test_names_resolve_to_ids_in_order(project: Project) -> None:
    store = ObjectStore(project.repository())
    head = project.git("rev-parse", "HEAD")

    assert store.resolve([f"{head}:nothing", f"{head}:a.py", head]) == [
        None,
        project.git("rev-parse", "HEAD:a.py"),
        head,
    ]


def test_modes_written_by_old_tools_are_read_as_todays() -> None:
    listing = b"100664 blob 11\ta\x00100775 blob 22\tb\x00040000 tree 33\td\x00120000 blob 44\td/l\0"

    assert parse_listing(listing) == (
        {"a": ("100644", "11"), "b": ("100755", "22"), "d/l": ("120000", "44")},
        frozenset({"d"}),
    )
    assert canonical_mode("160000") == "160000"
