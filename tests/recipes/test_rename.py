"""What is read as a rename, and what is said at once about one that cannot be meant."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dev_agent.recipes.model import Declined
from dev_agent.recipes.registry import RECIPES, find
from dev_agent.recipes.rename import RECIPE, Rename


@pytest.mark.parametrize("task", RECIPE.examples)
def test_its_examples_are_found(task: str) -> None:
    assert RECIPES["rename"] is RECIPE
    found = find(task)
    assert found is not None
    assert found[0] == "rename"
    assert isinstance(found[1], Rename)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("rename Invoice.total to Invoice.amount_due", Rename(old="Invoice.total", new="Invoice.amount_due")),
        (
            "Rename the function `run_all()` to `run_every`.",
            Rename(kind="function", old="run_all", new="run_every"),
        ),
        ("RENAME CLASS 'Engine' INTO \"Motor\"", Rename(kind="class", old="Engine", new="Motor")),
        ("rename a.b->c", Rename(old="a.b", new="c")),
        ("  rename method A.b  =>  c  ", Rename(kind="method", old="A.b", new="c")),
    ],
)
def test_ways_to_say_it(task: str, expected: Rename) -> None:
    found = RECIPE.read(task)
    assert found == expected
    assert isinstance(found, Rename)
    assert RECIPE.read(found.title) == expected


@pytest.mark.parametrize(
    "task",
    [
        "rename",
        "rename x",
        "rename x to y and run the tests",
        "please rename x to y",
        "rename all variables to snake case",
        "fix the rename x to y",
        "rename x to y\nrename z to w",
    ],
)
def test_a_sentence_understood_half_is_not_taken(task: str) -> None:
    assert RECIPE.read(task) is None


@pytest.mark.parametrize(
    ("task", "code", "says"),
    [
        ("rename f to class", "not_a_name", "keyword"),
        ("rename f to 2x", "not_a_name", "identifier"),
        ("rename f to a-b", "not_a_name", "identifier"),
        ("rename f to _", "not_a_name", "_"),
        ("rename a..b to c", "not_a_name", "empty"),
        ("rename f to ﬁ", "not_a_name", "form"),
        ("rename pkg/core.py to pkg/kernel.py", "not_a_name", "path"),
        ("rename f to __len__", "reserved_name", "__len__"),
        ("rename A.__init__ to setup", "reserved_name", "__init__"),
        ("rename A.__secret to known", "reserved_name", "__secret"),
        ("rename a.f to b.f", "same_name", "already"),
    ],
)
def test_names_that_cannot_be_meant(task: str, code: str, says: str) -> None:
    found = RECIPE.read(task)
    assert isinstance(found, Declined)
    assert found.code == code
    assert says in found.message
    assert found.hint


def test_reading_a_task_imports_neither_libcst_nor_the_work() -> None:
    program = (
        "import sys; from dev_agent.recipes.registry import find; find('rename a to b');"
        "print([one for one in sys.modules if 'libcst' in one or 'recipes.renaming' in one])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
