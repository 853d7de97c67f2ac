"""Objects and commits made without git are the ones git would make."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace

import pytest

from dev_agent.errors import GitFailed, RepositoryFault
from dev_agent.repository.commit_bytes import plain_commit
from dev_agent.repository.identity import AGENT, Identity, Person
from dev_agent.repository.loose import may_write, read_loose, write_loose
from dev_agent.repository.objects import GitTree
from dev_agent.repository.store import NewObject, ObjectStore
from tests.testing.repos import Project

WHEN = "1700000000 +0130"
PERSON = Person(name="Zoë O'Neil, Jr", email="zoe@example.com", when=WHEN)
IDENTITY = Identity(author=PERSON, committer=replace(PERSON, name="T", when="1700000001 -0800"))


def test_an_object_is_whole_read_only_and_where_git_looks(project: Project) -> None:
    repository = project.repository()
    # No git: if it had to help out nobody would see that we cannot do it.
    store = ObjectStore(replace(repository, git=replace(repository.git, program="/no/such/git")))
    (made,) = store.write([NewObject(kind="blob", data=b"x" * 100_000)])
    place = project.root / ".git/objects" / made[:2] / made[2:]
    assert project.git("hash-object", "--stdin", stdin=b"x" * 100_000) == made
    assert project.git("cat-file", "-s", made) == "100000"
    assert stat.S_IMODE(place.stat().st_mode) & 0o222 == 0
    assert [one.name for one in place.parent.iterdir()] == [made[2:]]
    assert project.git("fsck", "--strict") == f"dangling blob {made}"


def test_an_object_that_is_there_is_young_again_and_no_gc_takes_it(project: Project) -> None:
    store = ObjectStore(project.repository())
    (made,) = store.write([NewObject(kind="blob", data=b"old")])
    place = project.root / ".git/objects" / made[:2] / made[2:]
    os.utime(place, (1_000_000_000, 1_000_000_000))
    before = place.stat().st_ino
    assert store.write([NewObject(kind="blob", data=b"old")]) == (made,)
    project.git("prune", "--expire=1.hour.ago")
    assert place.stat().st_ino == before


def test_a_shared_repository_is_left_to_git(project: Project) -> None:
    objects = project.root / ".git/objects"
    assert may_write(project.repository())
    project.git("config", "core.sharedRepository", "group")
    objects.chmod(0o2775)
    assert not may_write(project.repository())
    (made,) = ObjectStore(project.repository()).write([NewObject(kind="blob", data=b"shared")])
    assert stat.S_IMODE((objects / made[:2] / made[2:]).stat().st_mode) & 0o040
    assert project.git("cat-file", "blob", made) == "shared"


def test_where_it_cannot_be_written_nothing_is_left_and_git_does_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    objects = project.root / ".git/objects"
    with pytest.raises(OSError, match="no links"):
        write_loose(objects, "ab" * 20, "blob", b"x")
    assert list((objects / "ab").iterdir()) == []
    (made,) = ObjectStore(project.repository()).write([NewObject(kind="blob", data=b"by git")])
    assert project.git("cat-file", "blob", made) == "by git"


def test_whoever_is_faster_wrote_the_same(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = project.root / ".git/objects"
    made = project.git("hash-object", "-w", "--stdin", stdin=b"same")
    monkeypatch.setattr(os, "utime", lambda _: (_ for _ in ()).throw(FileNotFoundError))
    write_loose(objects, made, "blob", b"same")
    assert project.git("cat-file", "blob", made) == "same"


def test_a_damaged_object_is_not_believed(project: Project) -> None:
    store = ObjectStore(project.repository())
    good, other = store.write([NewObject(kind="blob", data=b"good"), NewObject(kind="blob", data=b"other")])
    objects = project.root / ".git/objects"
    place = objects / good[:2] / good[2:]
    place.chmod(0o644)
    place.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    assert read_loose(objects, good) == ("blob", b"other")
    with pytest.raises((RepositoryFault, GitFailed)):
        store.read(good)
    place.write_bytes(b"no zlib")
    assert read_loose(objects, good) is None


@pytest.mark.parametrize("message", ["one\n", "no newline", "two\n\nlines\n\n", "ünï\n"])
@pytest.mark.parametrize("parents", [0, 1, 2])
def test_a_commit_is_byte_for_byte_gits_own(project: Project, message: str, parents: int) -> None:
    head = project.git("rev-parse", "HEAD")
    tree = project.git("rev-parse", "HEAD^{tree}")
    known = [head, project.git("commit-tree", tree, "-m", "other")][:parents]
    data = plain_commit(tree, known, message, IDENTITY)
    assert data is not None
    named = [part for parent in known for part in ("-p", parent)]
    by_git = project.with_environ(**IDENTITY.environment()).git(
        "commit-tree", tree, *named, stdin=message.encode()
    )
    assert ObjectStore(project.repository()).id_of(data, "commit") == by_git


@pytest.mark.parametrize(
    "person",
    [
        replace(PERSON, name=""),
        replace(PERSON, email=""),
        replace(PERSON, name="a <b"),
        replace(PERSON, name="dot."),
        replace(PERSON, name="a\nauthor b"),
        replace(PERSON, name="\udcff"),
        replace(PERSON, when="12 +0000"),
        replace(PERSON, when="1700000000 -0000"),
        replace(PERSON, when="1700000000 +9900"),
        AGENT.author,
    ],
)
def test_what_git_would_clean_or_refuse_is_left_to_git(person: Person) -> None:
    assert plain_commit("1" * 40, (), "m", Identity(author=person, committer=PERSON)) is None
    assert plain_commit("1" * 40, (), "m", Identity(author=PERSON, committer=person)) is None


@pytest.mark.parametrize("message", ["", "a\0b", "\udcff"])
def test_a_message_git_would_refuse_is_left_to_git(message: str) -> None:
    assert plain_commit("1" * 40, (), message, IDENTITY) is None


def test_one_path_of_many_is_found_without_a_listing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = project.git("rev-parse", "HEAD^{tree}")
    opened = GitTree(project.repository(), tree)
    found = [
        opened.mode(one) for one in ("a.py", "link", "pkg", "pkg/run.sh", "pkg/no", "a.py/x", "", "\ud800")
    ]
    assert found == ["100644", "120000", "040000", "100755", None, None, None, None]
    assert "_listing" not in vars(opened)
    assert len(opened.paths()) == 4
    listed = [
        opened.mode(one) for one in ("a.py", "link", "pkg", "pkg/run.sh", "pkg/no", "a.py/x", "", "\ud800")
    ]
    assert listed == found
    monkeypatch.setattr("dev_agent.repository.objects._MOST_FOLDERS", 0)
    assert GitTree(project.repository(), tree).mode("pkg/run.sh") == "100755"
