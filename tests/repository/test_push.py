"""A commit reaches a branch of another repository by compare-and-swap; what an answer meant is seen on the branch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault
from dev_agent.repository.judging_copy import object_folders
from dev_agent.repository.merge import Contained, Merged, merge
from dev_agent.repository.push import Branch, Pushed, PushMoved, PushRefused, push_commit, remote_tip
from dev_agent.repository.rebase import Conflicted
from tests.testing.repos import Project, make_repository

MAIN = Branch(remote="origin", ref="refs/heads/main")


@dataclass(frozen=True, kw_only=True)
class Two:
    """A project with the bare remote `origin`, both at `base`; `next` is built on it and only here."""

    project: Project
    remote: Path
    base: str
    next: str

    def push(self, commit: str, expected: str) -> Pushed | PushMoved | PushRefused:
        return push_commit(self.project.repository(), to=MAIN, commit=commit, expected=expected)

    def there(self) -> str | None:
        return remote_tip(self.project.repository(), MAIN)

    def git(self, *args: str) -> str:
        return self.project.git("--git-dir", str(self.remote), *args)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    project = make_repository(tmp_path, {"a.txt": b"1\n"}, name="here")
    remote = tmp_path / "there.git"
    project.git("clone", "--quiet", "--bare", str(project.root), str(remote))
    project.git("remote", "add", "origin", str(remote))
    base = project.git("rev-parse", "HEAD")
    return Two(project=project, remote=remote, base=base, next=project.commit("next", {"a.txt": b"2\n"}))


@pytest.mark.parametrize("end", ["\u2028", "\x85"])
def test_a_branch_with_what_unicode_calls_a_line_end_in_its_name_has_a_tip(two: Two, end: str) -> None:
    two.git("branch", f"odd{end}name", "main")

    odd = Branch(remote="origin", ref=f"refs/heads/odd{end}name")
    assert remote_tip(two.project.repository(), odd) == two.base


def test_a_branch_that_stands_where_it_should_moves(two: Two) -> None:
    assert two.push(two.next, two.base) == Pushed()
    assert two.there() == two.next


def test_asked_again_after_a_lost_answer_it_is_found_there(two: Two) -> None:
    two.push(two.next, two.base)
    assert two.push(two.next, two.base) == Pushed()
    on_top = two.git("commit-tree", f"{two.next}^{{tree}}", "-p", two.next, "-m", "on top")
    two.git("update-ref", MAIN.ref, on_top)
    assert two.push(two.next, two.base) == Pushed()
    assert two.there() == on_top


def test_a_branch_that_moved_is_left_alone_and_its_tip_is_here(two: Two) -> None:
    other = two.git("commit-tree", f"{two.base}^{{tree}}", "-p", two.base, "-m", "other")
    two.git("update-ref", MAIN.ref, other)
    assert two.push(two.next, two.base) == PushMoved(tip=other)
    assert two.there() == other
    assert two.project.git("cat-file", "-t", other) == "commit"


def test_a_branch_that_is_gone_is_not_made_anew(two: Two) -> None:
    two.git("update-ref", "-d", MAIN.ref)
    assert two.push(two.next, two.base) == PushMoved(tip=None)
    assert two.there() is None


def test_a_refusal_is_told_in_the_other_sides_words(two: Two) -> None:
    hook = two.remote / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    refused = two.push(two.next, two.base)
    assert isinstance(refused, PushRefused)
    assert "not today" in refused.text
    assert two.there() == two.base


def test_what_is_not_built_on_the_tip_is_never_pushed(two: Two) -> None:
    lone = two.project.git("commit-tree", two.project.tree(), "-m", "lone")
    with pytest.raises(AssertionError, match="is not built on"):
        two.push(lone, two.base)
    assert two.there() == two.base


def test_a_remote_that_is_not_there_is_the_worlds_fault_with_a_remedy(two: Two) -> None:
    two.project.git("remote", "set-url", "origin", str(two.remote) + ".gone")
    with pytest.raises(EnvironmentFault) as told:
        two.push(two.next, two.base)
    assert told.value.hint == "try it yourself: git ls-remote origin"


def test_what_two_commits_merge_to(two: Two) -> None:
    repository = two.project.repository()
    git = two.project.git
    side = git("commit-tree", f"{two.base}^{{tree}}", "-p", two.base, "-m", "side")
    assert merge(repository, base=two.base, head=two.next) == Merged(tree=two.project.tree(), forward=True)
    assert merge(repository, base=two.next, head=two.base) == Contained()
    assert merge(repository, base=side, head=two.next) == Merged(tree=two.project.tree(), forward=False)
    git("checkout", "--quiet", "--detach", two.base)
    clash = two.project.commit("clash", {"a.txt": b"3\n"})
    assert merge(repository, base=clash, head=two.next) == Conflicted(
        paths=("a.txt",), text="base and head conflict"
    )


def test_settings_of_the_user_do_not_change_what_is_merged(two: Two) -> None:
    """A rename on one side, an edit on the other: with `merge.renames` off git would call it a conflict."""
    git = two.project.git
    long = b"".join(b"line %d\n" % number for number in range(30))
    start = two.project.commit("start", {"long.txt": long})
    edited = two.project.commit("edit", {"long.txt": long.replace(b"line 3\n", b"line three\n")})
    git("checkout", "--quiet", "--detach", start)
    git("mv", "long.txt", "moved.txt")
    git("commit", "--quiet", "-m", "move")
    moved = git("rev-parse", "HEAD")
    before = merge(two.project.repository(), base=moved, head=edited)
    git("config", "merge.renames", "false")
    assert isinstance(before, Merged)
    assert merge(two.project.repository(), base=moved, head=edited) == before


def test_a_quarantine_git_could_not_borrow_from_is_refused(two: Two) -> None:
    """One name a line is all the list of alternates can hold."""
    with pytest.raises(EnvironmentFault, match="cannot borrow from"):
        object_folders(two.project.repository(), {"GIT_QUARANTINE_PATH": "line\nbreak"})
