"""docs/repositories.md says what happens to which repository, and every row of it is a test that exists."""

from __future__ import annotations

import ast
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/repositories.md"


def rows() -> list[list[str]]:
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return [cells for cells in split if cells[0] not in {"case", "---|---|---"}]


def written() -> set[str]:
    return {
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_row_has_a_case_a_behaviour_and_tests_that_exist() -> None:
    assert len(rows()) > 50
    for cells in rows():
        assert len(cells) == 3, cells
        assert all(cells), cells
        named = {name.strip("` ") for name in cells[2].split(",")}
        assert named <= written(), cells


def test_every_test_of_a_shape_is_in_the_table() -> None:
    named = {name.strip("` ") for cells in rows() for name in cells[2].split(",")}
    own = {name for name in written() if "every_" in name and ("row" in name or "in_the_table" in name)}
    assert written() - own == named
