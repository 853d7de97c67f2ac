"""A name stands for the ref git says, whole, whatever is in it."""

from __future__ import annotations

import pytest

from dev_agent.programs.queueing.heads import find_items
from dev_agent.repository.tracking import full_name, remote_branch
from tests.testing.repos import Project

ENDS = ["\u2028", "\u2029", "\x85"]
"""What Unicode calls the end of a line, and git takes in the name of a ref."""


@pytest.mark.parametrize("end", ENDS)
def test_a_branch_is_not_taken_for_one_whose_name_is_its_beginning(project: Project, end: str) -> None:
    project.git("branch", "side")
    project.git("branch", f"side{end}odd")

    assert full_name(project.repository(), f"side{end}odd") == f"refs/heads/side{end}odd"
    assert full_name(project.repository(), "side") == "refs/heads/side"


@pytest.mark.parametrize("end", ENDS)
def test_a_pattern_for_heads_finds_them_by_their_whole_names(project: Project, end: str) -> None:
    project.git("branch", f"pull{end}1")

    found = find_items(project.repository(), ["pull*"], target="refs/heads/main")

    assert [one.commit for one in found] == [project.git("rev-parse", "HEAD")]


def test_the_longest_remote_that_fits_is_the_branchs(project: Project) -> None:
    project.git("config", "remote.up.url", "nowhere")
    project.git("config", "remote.up/stream.url", "nowhere")

    assert remote_branch(project.repository(), "refs/remotes/up/stream/main") == ("up/stream", "main")
    assert remote_branch(project.repository(), "refs/remotes/up/other") == ("up", "other")
    assert remote_branch(project.repository(), "refs/heads/main") == ("", "")


def test_what_is_no_ref_has_no_full_name(project: Project) -> None:
    assert full_name(project.repository(), project.git("rev-parse", "HEAD")) == ""
    assert full_name(project.repository(), "nothing") == ""
