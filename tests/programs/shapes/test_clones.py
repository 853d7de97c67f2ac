"""Shallow and partial clones: not everything is here, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
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


@pytest.mark.parametrize("path", ["a.txt", "b.txt"], ids=["of the change", "of another file"])
def test_in_a_partial_clone_a_missing_object_is_a_refusal_and_nothing_is_fetched(
    tmp_path: Path, path: str
) -> None:
    shop = partial_clone(tmp_path, "--no-checkout")
    shop.project.git("sparse-checkout", "set", "--no-cone", "/b.txt")
    shop.project.git("checkout", "-q", "main")
    old = "one" if path == "a.txt" else "two"
    patch = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+ours\n".encode()
    (tmp_path / "origin").rename(tmp_path / "gone")
    before = shop.project.snapshot()
    report = shop.apply(patch)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "missing-objects"), report
    assert "not all are in this clone" in report.explanation, report
    assert "--refetch" in report.advice, report
    assert shop.project.snapshot() == before
