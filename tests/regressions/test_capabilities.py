"""The page of capabilities is true: what it names exists, every defect is there, and no cell is empty."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dev_agent.cli.app import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/capabilities.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| capability", "| id"))
]
WORDS = sorted(set(re.findall(r"`([^`]+)`", PAGE)))
TESTS = [word for word in WORDS if "::" in word]
MODULES = [word for word in WORDS if word.startswith("dev_agent.")]
OTHERS = {"tests/regressions/", "kill -9"}
CALLS = [word for word in WORDS if word not in {*TESTS, *MODULES, *OTHERS}]
DEFECTS = {
    *(f"D{number:02}" for number in (*range(1, 15), 16, 17, 18, 20, 22, 24, 27, 28, 29, 30)),
    *(f"M{number}" for number in range(3, 14)),
    *(f"A{number}" for number in (*range(1, 16), 17)),
}


def test_no_cell_is_empty_and_every_row_names_a_test() -> None:
    assert {len(row) for row in ROWS} == {3, 4}
    assert all(cell for row in ROWS for cell in row)
    assert all("tests/" in row[2] for row in ROWS)
    assert all(re.search(r"`[^`]+`", row[1]) for row in ROWS if len(row) == 4)


def test_every_defect_that_was_measured_has_a_row() -> None:
    named = {name for row in ROWS if len(row) == 3 for name in row[0].split(", ")}
    assert named == DEFECTS


@cache
def functions_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("named", TESTS)
def test_every_test_it_names_is_in_the_suite(named: str) -> None:
    path, _, name = named.partition("::")
    assert name in functions_in(path)


@pytest.mark.parametrize("named", MODULES)
def test_every_module_it_names_can_be_imported(named: str) -> None:
    importlib.import_module(named)


@pytest.mark.parametrize("call", CALLS)
def test_every_command_it_names_is_there_with_its_options(call: str) -> None:
    first, *rest = call.split()
    assert first in COMMANDS, call
    command: Any = get_command(importlib.import_module(COMMANDS[first][0]).app)
    for word in rest:
        if word.startswith("--"):
            assert any(word in parameter.opts for parameter in command.params), call
        else:
            command = command.commands[word]
