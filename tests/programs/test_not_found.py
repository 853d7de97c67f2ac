"""A program that is not there inside the sandbox: where it was looked for, and what makes it visible."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.gates.in_sight import InSight
from dev_agent.programs.not_found import (
    launchers_words,
    where_others_are_sought,
    why_not_executed,
    why_not_found,
)


@pytest.fixture
def sight(tmp_path: Path) -> InSight:
    """A repository with an environment of its own, and a clone of it beside."""
    root = tmp_path / "work"
    for folder in (root / ".venv/bin", tmp_path / "clone/tools", tmp_path / "home/bin"):
        folder.mkdir(parents=True)
    return InSight(
        root=root,
        python=root / ".venv/bin/python",
        search=(root / ".venv/bin", tmp_path / "elsewhere", Path("/usr/bin")),
        shown=(root / ".venv",),
    )


def program(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def why(name: str | Path, sight: InSight, status: int = 127) -> str:
    return why_not_found(str(name), status, sight, sight.root.parent / "clone")


def test_a_bare_name_is_told_where_it_was_looked_for_and_what_to_do(sight: InSight) -> None:
    said, install, path, show = why("ruff", sight).split("\n")
    assert said == ("ruff was not found inside the sandbox: not in " + ", ".join(map(str, sight.search)))
    assert install.endswith(f"{sight.python} -m pip install ruff")
    assert str(sight.root / ".venv") in path
    assert "read_only" in show
    assert "--profile" in show


def test_what_is_there_ended_by_its_own_word(sight: InSight) -> None:
    program(sight.root / ".venv/bin/tool")
    program(sight.root.parent / "clone/tools/mine")
    for name in ("tool", "sh", "/bin/sh", "tools/mine", "./tools/mine", sight.root / "tools/mine"):
        assert why(name, sight) == "", name
    assert "/usr/bin" in where_others_are_sought(sight)


def test_a_file_of_the_work_tree_that_the_commit_lacks_is_not_there(sight: InSight) -> None:
    (sight.root / "tools").mkdir()
    program(sight.root / "tools/new")
    assert why("tools/new", sight).startswith("tools/new was not found inside the sandbox")
    assert why(sight.root / "tools/new", sight)


def test_what_lies_or_leads_outside_of_what_is_visible_is_not_there(sight: InSight) -> None:
    own = program(sight.root.parent / "home/bin/ruff")
    assert f"{own} is no program that is visible there" in why(own, sight)
    assert why(own, sight, 126).startswith(f"{own} ended with status 126: {own} is no program")
    (sight.root / ".venv/bin/ruff").symlink_to(own)
    assert "-m pip install ruff" in why("ruff", sight)


def test_what_may_not_be_executed_is_not_there(sight: InSight) -> None:
    program(sight.root / ".venv/bin/text", 0o644)
    assert why("text", sight)
    assert why(sight.root / ".venv/bin", sight)


def test_a_script_of_the_commit_without_the_right_is_told_how_to_run_it(sight: InSight) -> None:
    program(sight.root.parent / "clone/tools/a script", 0o644)
    assert why("tools/a script", sight, 126).endswith("for example: python 'tools/a script'")


def test_the_launchers_words_are_known_from_those_of_a_program() -> None:
    assert launchers_words(b"setpriv: failed to execute ruff: No such file or directory\n")
    assert launchers_words(b"bwrap: execvp ruff: No such file or directory\n")
    assert not launchers_words(b"sh: 1: ruff: not found\n")
    assert not launchers_words(b"setpriv: failed to execute a: x\nand then it went on\n")
    assert not launchers_words(b"")


def test_a_script_without_its_interpreter_is_told_how_to_run_it() -> None:
    assert why_not_executed("./a b", 127).endswith(
        "is not there\nName the interpreter yourself, for example: python './a b'"
    )
    assert "may not be executed" in why_not_executed("x", 126)
