"""Shallow and partial clones: not everything is here, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

from dev_agent.programs.report import Outcome
from tests.programs.conftest import TESTS_ONLY, Shop
from tests.programs.shapes.scene import SMALL, lands
from tests.testing.repos import clone, make_repository

CHANGE = {"a.txt": b"ours\n", "src/c.py": None, "new/e": b"e\n"}


def test_in_a_shallow_clone_the_change_lands(tmp_path: Path) -> None:
    origin = make_repository(tmp_path, SMALL, name="origin")
    origin.commit("second", {"b.txt": b"2\n"})
    (tmp_path / "policies").mkdir()
    copy = clone(origin, tmp_path / "copy", "--depth=1")
    shop = Shop(project=copy, policies=tmp_path / "policies")
    lands(shop, CHANGE)
    assert copy.git("rev-parse", "--is-shallow-repository") == "true"


def partial_clone(tmp_path: Path, *options: str) -> Shop:
    origin = make_repository(tmp_path, SMALL, name="origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    (tmp_path / "policies").mkdir()
    copy = clone(origin, tmp_path / "copy", "--filter=blob:none", *options)
    return Shop(project=copy, policies=tmp_path / "policies")


def test_in_a_partial_clone_whose_files_are_here_the_change_lands(tmp_path: Path) -> None:
    lands(partial_clone(tmp_path), CHANGE)


def without_the_rest(tmp_path: Path) -> Shop:
    """A partial clone that has `b.txt` and not `a.txt`, and whose origin is gone."""
    shop = partial_clone(tmp_path, "--no-checkout")
    shop.project.git("sparse-checkout", "set", "--no-cone", "/b.txt")
    shop.project.git("checkout", "-q", "main")
    (tmp_path / "origin").rename(tmp_path / "gone")
    return shop


OF_A = b"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+ours\n"
OF_B = b"--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-two\n+ours\n"


def test_in_a_partial_clone_a_missing_object_is_a_refusal_and_nothing_is_fetched(tmp_path: Path) -> None:
    shop = without_the_rest(tmp_path)
    before = shop.project.snapshot()
    report = shop.apply(OF_A)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "missing-objects"), report
    assert "not all are in this clone" in report.explanation, report
    assert "--refetch" in report.advice, report
    assert shop.project.snapshot() == before


def test_in_a_partial_clone_gates_that_need_a_missing_file_judge_nothing_and_say_so(tmp_path: Path) -> None:
    shop = without_the_rest(tmp_path)
    before = shop.project.snapshot()
    report = shop.apply(OF_B, policy=TESTS_ONLY)
    assert report.outcome is Outcome.REJECTED, report
    assert "not all are in this clone" in report.explanation, report
    assert "--refetch" in report.explanation, report
    assert shop.project.snapshot() == before


def test_in_a_partial_clone_the_change_of_a_file_that_is_here_lands_without_the_rest(tmp_path: Path) -> None:
    report = without_the_rest(tmp_path).apply(OF_B)
    assert report.outcome is Outcome.COMMITTED, report
