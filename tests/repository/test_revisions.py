"""Ranges of commits as callers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.repository.revisions import read_revisions
from tests.testing.repos import Project, make_repository


@pytest.fixture
def forked(tmp_path: Path) -> Project:
    """`main` and `topic` each have one commit after the first; HEAD is on `main`."""
    project = make_repository(tmp_path, {"a": b"1\n"})
    project.git("checkout", "--quiet", "-b", "topic")
    project.commit("topic", {"t": b"1\n"})
    project.git("checkout", "--quiet", "main")
    project.commit("main", {"m": b"1\n"})
    return project


def test_two_dots_take_the_base_as_given(forked: Project) -> None:
    found = read_revisions(forked.repository(), "main..topic")
    assert (found.base, found.head) == (forked.git("rev-parse", "main"), forked.git("rev-parse", "topic"))
    assert not found.follows


def test_three_dots_take_the_merge_base(forked: Project) -> None:
    found = read_revisions(forked.repository(), "main...topic")
    assert (found.base, found.head) == (forked.git("rev-parse", "main~1"), forked.git("rev-parse", "topic"))
    assert found.follows


def test_an_empty_side_is_head(forked: Project) -> None:
    head = forked.git("rev-parse", "HEAD")
    assert read_revisions(forked.repository(), "main~1..").head == head
    assert read_revisions(forked.repository(), "..topic").base == head


@pytest.mark.parametrize("text", ["main", "..", "...", "", "a..b..c", "a....b", "a\0..b"])
def test_what_is_no_range_is_refused(forked: Project, text: str) -> None:
    with pytest.raises(UsageFault, match="not a range"):
        read_revisions(forked.repository(), text)


@pytest.mark.parametrize("text", ["nowhere..topic", "main..--output=x", "--all..topic", "main..main:a"])
def test_a_name_that_is_no_commit_is_named_and_never_an_option(forked: Project, text: str) -> None:
    before = forked.snapshot()
    with pytest.raises(UsageFault, match="there is no commit"):
        read_revisions(forked.repository(), text)
    assert forked.snapshot() == before


def test_histories_with_nothing_in_common_have_no_merge_base(forked: Project) -> None:
    forked.git("checkout", "--quiet", "--orphan", "island")
    forked.git("commit", "--quiet", "-m", "island")
    with pytest.raises(RepositoryFault) as caught:
        read_revisions(forked.repository(), "main...island")
    assert caught.value.code == "no-merge-base"
    assert not read_revisions(forked.repository(), "main..island").follows
