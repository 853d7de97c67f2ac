"""What recent commits say and touch, and how large what they hold is."""

from __future__ import annotations

import os
from pathlib import Path

from dev_agent.repository.history import recent_commits
from dev_agent.repository.store import ObjectStore
from tests.testing.repos import make_repository


def test_commits_come_newest_first_with_message_and_paths(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b"1\n"})
    odd = os.fsdecode(b"na\xefve\nname.py")
    project.commit("Second\n\nwith a body", {"a.py": b"2\n", odd: b"x"})
    project.commit("Empty")
    last = project.commit("Third", {"a.py": None})
    found = recent_commits(project.repository(), last, 3)
    assert [message for message, _ in found] == ["Third", "Empty", "Second\n\nwith a body"]
    assert [set(paths) for _, paths in found] == [{"a.py"}, set(), {"a.py", odd}]


def test_merges_are_left_out(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b"1\n"})
    main = project.git("symbolic-ref", "--short", "HEAD")
    project.git("checkout", "--quiet", "-b", "side")
    project.commit("Side", {"b.py": b""})
    project.git("checkout", "--quiet", main)
    project.commit("Main", {"c.py": b""})
    project.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    found = recent_commits(project.repository(), project.git("rev-parse", "HEAD"), 10)
    assert {message for message, _ in found} >= {"Side", "Main"}
    assert "Merge" not in {message for message, _ in found}


def test_a_message_cannot_pretend_to_be_a_commit(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b"1\n"})
    last = project.commit("Real\x01Forged\x02evil.py", {"a.py": b"2\n"})
    found = recent_commits(project.repository(), last, 1)
    assert [paths for _, paths in found] == [("a.py",)]


def test_sizes_of_objects_and_nothing_for_what_is_not_there(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b"12345"})
    store = ObjectStore(project.repository())
    known = project.git("rev-parse", "HEAD:a.py")
    assert store.sizes([known, "1" * 40]) == {known: 5}
    assert store.sizes([]) == {}
