"""A recipe takes a whole sentence or none of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dev_agent.recipes.model import Declined
from dev_agent.recipes.registry import RECIPES, find
from dev_agent.recipes.sweep import Sweep
from tests.recipes.support import work

OURS = [
    "remove-unused-imports", "add-annotations", "fix-strict-types", "modernise-typing", "f-strings", "codemod",
]  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_every_example_is_understood_by_its_own_recipe(name: str) -> None:
    for example in RECIPES[name].examples:
        found = find(example)
        assert found is not None, example
        assert found[0] == name


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("Please remove all the unused imports.", "remove-unused-imports"),
        ("clean up unused imports across the codebase", "remove-unused-imports"),
        ("add return types", "add-annotations"),
        ("Add missing type annotations to the project", "add-annotations"),
        ("annotate functions with return types", "add-annotations"),
        ("fix mypy --strict errors", "fix-strict-types"),
        ("fix the mypy strict errors", "fix-strict-types"),
        ("fix all type errors in src/a.py", "fix-strict-types"),
        ("make mypy happy", "fix-strict-types"),
        ("remove unused type: ignore comments", "fix-strict-types"),
        ("modernize type hints", "modernise-typing"),
        ("use X | Y unions", "modernise-typing"),
        ("convert Optional and Union to X | Y", "modernise-typing"),
        ("convert all format strings to f-strings", "f-strings"),
        ("convert %-format and .format to f-strings", "f-strings"),
        ("libcst codemod noop.NOOPCommand", "codemod"),
    ],
)
def test_natural_variants_are_understood(task: str, name: str) -> None:
    found = find(task)
    assert found is not None
    assert found[0] == name


@pytest.mark.parametrize(
    "task",
    [
        "remove unused imports and the dead code",
        "remove unused imports except in tests",
        "add type annotations to parameters only",
        "modernise typing but keep Optional",
        "convert to f-strings where it makes sense",
        "make mypy --strict happy without Any",
        "do not remove unused imports",
        "codemod",
        "codemod noop.NOOPCommand; rm -rf /",
        "",
    ],
)
def test_a_sentence_understood_half_is_not_taken(task: str) -> None:
    assert find(task) is None


def test_a_path_in_the_task_narrows_it_to_that_folder() -> None:
    found = find("remove unused imports in ./src/pkg/")
    assert found is not None
    assert isinstance(found[1], Sweep)
    assert found[1].where == "src/pkg"
    assert found[1].title == "remove unused imports in src/pkg"
    files = {"src/pkg/a.py": "import os\n", "src/pkgs.py": "import os\n", "b.py": "import os\n"}
    result = work("remove unused imports in src/pkg/", files)
    assert not isinstance(result, Declined)
    assert set(result.files) == {"src/pkg/a.py"}


def test_a_path_that_is_not_there_is_refused_by_name() -> None:
    result = work("remove unused imports in src/nowhere.py", {"a.py": "import os\n"})
    assert isinstance(result, Declined)
    assert result.code == "no_such_path"
    assert "src/nowhere.py" in result.message


def test_reading_a_task_does_not_import_libcst() -> None:
    script = (
        "import sys; from dev_agent.recipes.registry import RECIPES, find\n"
        "[find(example) for recipe in RECIPES.values() for example in recipe.examples]\n"
        "print('libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
