"""Bundles of trees: small, without history, the same each time, and nothing of the user's repository changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_agent.cluster.mirror import Mirror
from dev_agent.cluster.ship import Renamed, Shipping
from dev_agent.gates.cache import Cache
from dev_agent.gates.subject import Subject
from tests.testing.repos import Project, make_repository


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_repository(tmp_path / "project")
    made.commit("a secret is in the history", {"a.txt": b"old\n" * 500})
    made.commit("base", {"a.txt": b"one\n" * 500, "b.txt": b"b\n"})
    return made


@pytest.fixture
def subject(project: Project) -> Subject:
    base = project.git("rev-parse", "HEAD^{tree}")
    project.commit("change", {"b.txt": b"c\n"})
    tree = project.git("rev-parse", "HEAD^{tree}")
    project.git("reset", "-q", "--hard", "HEAD~1")
    return Subject(base_tree=base, tree=tree, changed=("b.txt",))


@pytest.fixture
def shipping(project: Project, tmp_path: Path) -> Iterator[Shipping]:
    made = Shipping(project.repository(), Cache(tmp_path / "cache"))
    yield made
    made.close()


def mirror(project: Project, tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "mirror.git", "sha1", project.environ)


def test_a_worker_gets_both_trees_and_no_history(
    project: Project, subject: Subject, shipping: Shipping, tmp_path: Path
) -> None:
    there = mirror(project, tmp_path)
    parcels = shipping.parcels(subject)
    for parcel in parcels:
        path = shipping.bundle(parcel.sha256)
        assert path is not None
        assert path.stat().st_size == parcel.size
        there.take(path)
    assert there.has(subject.base_tree)
    assert there.has(subject.tree)
    old = project.git("rev-parse", "HEAD~1:a.txt")
    assert not there.repository.git.run("cat-file", "-e", old).ok


def test_the_change_travels_as_a_difference(subject: Subject, shipping: Shipping) -> None:
    base, change = shipping.parcels(subject)
    path = shipping.bundle(change.sha256)
    assert path is not None
    assert change.size < base.size + 200
    assert b"-" in path.read_bytes().split(b"\n", 2)[1][:1], "it names what it builds on"


def test_the_users_repository_is_as_it_was(project: Project, subject: Subject, shipping: Shipping) -> None:
    refs, objects = project.git("for-each-ref"), sorted((project.root / ".git/objects").rglob("*"))
    for parcel in shipping.parcels(subject):
        shipping.bundle(parcel.sha256)
    assert project.git("for-each-ref") == refs
    assert sorted((project.root / ".git/objects").rglob("*")) == objects


def test_the_next_command_names_the_base_without_packing_it(
    project: Project, subject: Subject, shipping: Shipping, tmp_path: Path
) -> None:
    first = shipping.parcels(subject)
    later = Shipping(project.repository(), Cache(tmp_path / "cache"))
    assert (
        later.parcels(Subject(base_tree=subject.base_tree, tree=subject.base_tree, changed=())) == first[:1]
    )
    assert not list(project.repository().state_dir.glob("tmp/*/*/refs/heads/judged")) or later._git is None
    path = later.bundle(first[0].sha256)
    assert path is not None
    assert path.stat().st_size == first[0].size
    later.close()


def test_a_bundle_that_comes_out_otherwise_is_named_anew(
    project: Project, subject: Subject, tmp_path: Path
) -> None:
    remembered = Cache(tmp_path / "cache")
    first = Shipping(project.repository(), remembered)
    honest = first.parcels(subject)[0]
    (entry,) = (tmp_path / "cache/bundle").rglob("*.json")
    remembered.put("bundle", entry.stem, {"sha256": "0" * 64, "size": 1})
    later = Shipping(project.repository(), remembered)
    assert later.parcels(subject)[0].sha256 == "0" * 64
    with pytest.raises(Renamed):
        later.bundle("0" * 64)
    assert later.parcels(subject)[0] == honest
    first.close()
    later.close()


def test_a_digest_nobody_named_has_no_bundle(subject: Subject, shipping: Shipping) -> None:
    shipping.parcels(subject)
    assert shipping.bundle("1" * 64) is None
