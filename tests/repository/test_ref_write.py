"""Our own refs are written as git writes them, under its locks; everything else is git's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import GitFailed
from dev_agent.repository.landing.ref_locks import drop_own_ref_locks
from dev_agent.repository.ref_write import write_own_ref
from dev_agent.repository.refs import read_ref, set_ref, swap_ref
from dev_agent.repository.store import NewObject, ObjectStore
from tests.testing.repos import Project

REF = "refs/dev-agent/staged/run-1"


def commits(project: Project) -> tuple[str, str]:
    """Two objects a ref may name."""
    one, other = ObjectStore(project.repository()).write(
        [NewObject(kind="blob", data=b"one"), NewObject(kind="blob", data=b"other")]
    )
    return one, other


def test_a_ref_is_one_that_git_reads_and_nothing_else_is_left(project: Project) -> None:
    one, other = commits(project)
    repository = project.repository()

    assert write_own_ref(repository, REF, one, None)
    assert project.git("rev-parse", REF) == one
    assert write_own_ref(repository, REF, other, one)
    assert write_own_ref(repository, REF, one)

    assert (
        project.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/dev-agent") == f"{one} {REF}"
    )
    assert [path.name for path in (project.git_dir / REF).parent.iterdir()] == ["run-1"]
    assert not (project.git_dir / "logs" / REF).exists()


def test_a_packed_ref_is_compared_and_written(project: Project) -> None:
    one, other = commits(project)
    project.git("update-ref", REF, one)
    project.git("pack-refs", "--all")

    assert not write_own_ref(project.repository(), REF, other, other)
    assert write_own_ref(project.repository(), REF, other, one)
    assert project.git("rev-parse", REF) == other


@pytest.mark.parametrize("expected", [None, "other"])
def test_a_ref_that_is_not_as_expected_is_not_changed(project: Project, expected: str | None) -> None:
    one, other = commits(project)
    set_ref(project.repository(), REF, one, reason="first")

    assert not swap_ref(project.repository(), REF, other, other if expected else None, reason="x").ok

    assert read_ref(project.repository(), REF) == one
    assert drop_own_ref_locks(project.repository()) == ()


def _symbolic(project: Project) -> None:
    project.git("symbolic-ref", REF, "refs/heads/main")


def _held(project: Project) -> None:
    place = project.git_dir / f"{REF}.lock"
    place.parent.mkdir(parents=True)
    place.touch()


def _packed_above(project: Project) -> None:
    project.git("update-ref", "refs/dev-agent/staged", "HEAD")
    project.git("pack-refs", "--all")


def _packed_below(project: Project) -> None:
    project.git("update-ref", REF + "/x", "HEAD")
    project.git("pack-refs", "--all")


def _folder(project: Project) -> None:
    (project.git_dir / REF / "in-the-way").mkdir(parents=True)


def _history_of_all(project: Project) -> None:
    project.git("config", "core.logAllRefUpdates", "always")


def _history_of_it(project: Project) -> None:
    place = project.git_dir / "logs" / REF
    place.parent.mkdir(parents=True)
    place.touch()


def _shared(project: Project) -> None:
    project.git("config", "core.sharedRepository", "group")


def _flushed(project: Project) -> None:
    project.git("config", "core.fsync", "reference")


@pytest.mark.parametrize(
    "state",
    [
        _symbolic, _held, _packed_above, _packed_below, _folder, _history_of_all, _history_of_it, _shared, _flushed,
    ],
)  # fmt: skip
def test_what_is_more_than_a_small_file_is_left_to_git(
    project: Project, state: Callable[[Project], object]
) -> None:
    one, _ = commits(project)
    state(project)
    before = _refs(project.git_dir)

    assert not write_own_ref(project.repository(), REF, one)

    assert _refs(project.git_dir) == before


def _refs(git_dir: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (git_dir / "refs").rglob("*") if path.is_file()}


def test_git_refuses_in_its_own_words(project: Project) -> None:
    one, _ = commits(project)
    _packed_below(project)
    with pytest.raises(GitFailed, match="exists; cannot create"):
        set_ref(project.repository(), REF, one, reason="x")


@pytest.mark.parametrize(
    "ref", ["refs/heads/main", "HEAD", "refs/dev-agent/../heads/x", "refs/dev-agent/a.lock"]
)
def test_no_ref_but_our_own_is_written(project: Project, ref: str) -> None:
    assert not write_own_ref(project.repository(), ref, commits(project)[0])


def test_no_ref_names_what_is_not_there(project: Project) -> None:
    assert not write_own_ref(project.repository(), REF, "1" * 40)
    with pytest.raises(GitFailed):
        set_ref(project.repository(), REF, "1" * 40, reason="x")


def test_where_every_object_is_flushed_git_writes_refs(project: Project) -> None:
    repository = project.repository()
    flushing = replace(repository, git=replace(repository.git, settings=("core.fsync=all",)))
    assert not write_own_ref(flushing, REF, commits(project)[0])


def test_a_lock_that_this_very_process_holds_is_not_taken_for_stale(project: Project) -> None:
    """Another thread may be between taking it and renaming it."""
    place = project.git_dir / f"{REF}.lock"
    place.parent.mkdir(parents=True)
    with place.open("wb"):
        assert drop_own_ref_locks(project.repository()) == ()
    assert drop_own_ref_locks(project.repository()) == (place,)
