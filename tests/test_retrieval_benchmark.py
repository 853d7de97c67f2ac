"""The benchmark of retrieval counts what it says it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.retrieval import is_source, measure, score, table
from tests.testing.repos import make_repository


def test_recall_is_the_part_of_the_truth_that_is_found_and_mrr_the_first_hit() -> None:
    found = score([["a", "b", "c"], ["x"]], [frozenset({"b", "z"}), frozenset({"y"})])
    assert found.recall == {1: 0.0, 5: 0.25, 10: 0.25}
    assert found.mrr == 0.25


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("src/a.py", True),
        ("a.py", True),
        ("tests/a.py", False),
        ("src/test_a.py", False),
        ("docs/conf.py", False),
        ("a.md", False),
    ],
)
def test_what_counts_as_source(path: str, source: bool) -> None:
    assert is_source(path) is source


def test_a_query_is_asked_of_the_parent_and_only_of_commits_that_change_source(tmp_path: Path) -> None:
    project = make_repository(
        tmp_path, {"cart.py": b"def add_item(): ...\n", "bill.py": b"def total(): ...\n"}
    )
    project.commit("Count items of a cart twice", {"cart.py": b"def add_item(): return 2\n"})
    project.commit("Only words about the total", {"README.md": b"total\n"})
    project.commit("A new file for the total", {"fresh.py": b"X = 1\n"})
    folder = tmp_path / "work"
    folder.mkdir()
    result = measure(project.root, 10, "HEAD", folder)
    assert [query.task for query in result.queries] == ["Count items of a cart twice"]
    assert result.queries[0].truth == {"cart.py"}
    assert [found[0] for found in result.lists["dev-agent"]] == ["cart.py"]
    assert [found[0] for found in result.lists["plain BM25"]] == ["cart.py"]
    assert "not measured" in table([result])
