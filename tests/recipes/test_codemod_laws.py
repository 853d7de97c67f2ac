"""Laws of all recipes, on code that nobody wrote for them: packages of the standard library."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from tests.recipes.support import MODERN, rewritten

TASKS = [
    "remove unused imports", "add type annotations", "add type annotations from defaults", "modernise typing",
    "convert to f-strings",
]  # fmt: skip


@pytest.mark.law
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("package", ["email", "unittest"])
def test_law_the_result_parses_and_a_second_time_changes_nothing(task: str, package: str) -> None:
    """For every file: what a recipe writes parses, and the recipe finds nothing to do in what it wrote."""
    folder = Path(sysconfig.get_paths()["stdlib"]) / package
    files: dict[str, str | bytes | tuple[str, bytes]] = {"pyproject.toml": MODERN}
    files |= {str(path.relative_to(folder.parent)): path.read_bytes() for path in folder.glob("*.py")}
    result = rewritten(task, files)
    for path, content in result.files.items():
        assert content is not None
        compile(content, path, "exec", dont_inherit=True)
        files[path] = content
    assert rewritten(task, files).empty
    assert not any("would not have parsed" in note for note in result.notes)


def test_the_laws_are_about_something() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"])
    files: dict[str, str | bytes | tuple[str, bytes]] = {
        str(path.relative_to(folder)): path.read_bytes() for path in (folder / "email").glob("*.py")
    }
    assert len(rewritten("convert to f-strings", files).files) > 2
    assert len(rewritten("add type annotations", files).files) > 10
