from __future__ import annotations

import pytest

from dev_agent.errors import GitFailed
from dev_agent.repository import kept
from dev_agent.repository.refs import ANCHORS, STAGED, drop_ref, list_refs, read_ref, set_ref, swap_ref
from tests.testing.repos import Project

REF = STAGED + "run-1"


def commits(project: Project) -> tuple[str, str]:
    return project.git("rev-parse", "HEAD"), project.commit("second")


def test_a_ref_that_does_not_exist_reads_as_nothing(project: Project) -> None:
    assert read_ref(project.repository(), REF) is None
    assert list_refs(project.repository(), STAGED) == {}


def test_a_swap_happens_only_from_the_value_expected(project: Project) -> None:
    repository, (one, two) = project.repository(), commits(project)

    assert not swap_ref(repository, REF, two, one, reason="absent").ok
    assert swap_ref(repository, REF, one, None, reason="new").ok
    assert not swap_ref(repository, REF, two, None, reason="exists").ok
    assert not swap_ref(repository, REF, two, two, reason="moved").ok
    assert read_ref(repository, REF) == one
    assert swap_ref(repository, REF, two, one, reason="as expected").ok
    assert read_ref(repository, REF) == two


def test_a_ref_is_set_whatever_it_was(project: Project) -> None:
    repository, (one, two) = project.repository(), commits(project)

    for value in (one, two):
        set_ref(repository, REF, value, reason="set")
        assert read_ref(repository, REF) == value
    with pytest.raises(GitFailed):
        set_ref(repository, REF, "1" * 40, reason="no such object")
    assert read_ref(repository, REF) == two


def test_a_ref_is_dropped_once_and_gone_is_fine(project: Project) -> None:
    repository, (one, _) = project.repository(), commits(project)
    set_ref(repository, REF, one, reason="set")

    drop_ref(repository, REF)
    drop_ref(repository, REF)

    assert read_ref(repository, REF) is None


def test_a_ref_that_cannot_be_dropped_is_said(project: Project) -> None:
    repository, (one, _) = project.repository(), commits(project)
    set_ref(repository, REF, one, reason="set")
    (project.git_dir / f"{REF}.lock").touch()

    with pytest.raises(GitFailed):
        drop_ref(repository, REF)
    assert read_ref(repository, REF) == one


def test_only_refs_below_the_prefix_are_listed(project: Project) -> None:
    repository, (one, two) = project.repository(), commits(project)
    set_ref(repository, REF, one, reason="set")
    set_ref(repository, STAGED + "run-2", two, reason="set")
    set_ref(repository, ANCHORS, two, reason="set")

    assert list_refs(repository, STAGED) == {REF: one, STAGED + "run-2": two}


def test_no_hook_of_the_user_runs_for_our_refs(project: Project) -> None:
    hook = project.git_dir / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    one = project.git("rev-parse", "HEAD")

    assert swap_ref(project.repository(), REF, one, None, reason="new").ok
    drop_ref(project.repository(), REF)


def test_packed_refs_are_seen_and_dropped(project: Project) -> None:
    repository, (one, _) = project.repository(), commits(project)
    set_ref(repository, REF, one, reason="set")
    project.git("pack-refs", "--all")

    assert read_ref(repository, REF) == one
    drop_ref(repository, REF)
    assert list_refs(repository, STAGED) == {}


def test_a_kept_commit_survives_gc_until_it_is_released(project: Project) -> None:
    repository = project.repository()
    commit = project.git("commit-tree", project.tree(), "-m", "verified")
    kept.keep(repository, "run-1", commit)
    project.git("gc", "--prune=now", "--quiet")

    assert kept.kept_commit(repository, "run-1") == commit
    assert kept.all_kept(repository) == {"run-1": commit}
    assert project.git("cat-file", "-t", commit) == "commit"
    kept.release(repository, "run-1")
    kept.release(repository, "run-1")
    assert kept.kept_commit(repository, "run-1") is None
    assert kept.all_kept(repository) == {}


def test_a_kept_commit_needs_a_plain_run_id(project: Project) -> None:
    for run in ("../heads/main", "a b", ""):
        with pytest.raises(ValueError, match="not a run id"):
            kept.keep(project.repository(), run, project.git("rev-parse", "HEAD"))
    assert list_refs(project.repository(), "refs/dev-agent/") == {}
