"""Recipes as people call them: a task in words, and no patch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from dev_agent.programs.recipe_task import read_task, shipped_recipes
from tests.cli.test_scenarios import CONTRACT, answered, dev_agent
from tests.testing.repos import Project, make_repository

FILES = {
    "pyproject.toml": b'[project]\nname = "shop"\nversion = "1"\n[tool.pytest.ini_options]\npythonpath = ["src"]\n',
    "src/shop/__init__.py": b'from shop.bill import Bill\n\n__all__ = ["Bill"]\n',
    "src/shop/bill.py": (
        b"class Bill:\n"
        b'    """What a customer pays."""\n'
        b"\n"
        b"    def __init__(self, net: int) -> None:\n"
        b"        self.net = net\n"
        b"\n"
        b"    def total(self) -> int:\n"
        b"        return self.net * 2\n"
    ),
    "src/shop/show.py": (
        b"from __future__ import annotations\n"
        b"\n"
        b"from typing import TYPE_CHECKING\n"
        b"\n"
        b"if TYPE_CHECKING:\n"
        b"    from shop.bill import Bill\n"
        b"\n"
        b"\n"
        b'def show(bill: "Bill") -> str:\n'
        b'    return f"to pay: {bill.total()}"\n'
    ),
    "tests/test_bill.py": (
        b"from shop import Bill\n"
        b"from shop.show import show\n"
        b"\n"
        b"\n"
        b"def test_total() -> None:\n"
        b"    assert Bill(2).total() == 4\n"
        b'    assert show(Bill(1)) == "to pay: 2"\n'
    ),
}
RENAME = "rename Bill.total to Bill.amount_due"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A typed package with a test, judged in the environment the tests run in."""
    return make_repository(tmp_path, FILES).with_environ(VIRTUAL_ENV=sys.prefix)


def test_a_task_in_words_becomes_one_commit_beside_what_the_user_is_doing(shop: Project) -> None:
    (shop.root / "mine.txt").write_text("unfinished")
    done = dev_agent(shop, "apply", RENAME, "--json")
    assert done.returncode == 0, done.stderr.decode()
    result = answered(done)
    assert set(result) <= CONTRACT | {"places"}
    assert (result["outcome"], result["files"]) == (
        "committed",
        ["src/shop/bill.py", "src/shop/show.py", "tests/test_bill.py"],
    )
    notes = [json.loads(row).get("text", "") for row in done.stderr.splitlines()]
    assert any(note.startswith("proposed by the recipe rename: ") for note in notes)
    assert shop.git("log", "-1", "--format=%s") == RENAME
    assert shop.git("status", "--porcelain") == "?? mine.txt"
    shown = dev_agent(shop, "show", "last").stdout.decode()
    assert "recipe rename: " in shown
    assert dev_agent(shop, "verify", "last").returncode == 0

    again = dev_agent(shop, "undo", "last", "--json")
    assert (again.returncode, answered(again)["outcome"]) == (0, "committed")
    assert shop.tree() == shop.tree("HEAD~2")


def test_a_name_that_is_taken_changes_nothing_and_is_shown_with_its_places(shop: Project) -> None:
    shop.commit("taken", {"src/shop/more.py": b"def show() -> None: ...\n\n\ndef tell() -> None: ...\n"})
    before = shop.snapshot()
    done = dev_agent(shop, "apply", "rename shop.more.tell to show")
    assert done.returncode == 1, done.stderr.decode()
    shown = done.stdout.decode()
    assert "src/shop/more.py:" in shown
    assert shown.splitlines()[-1].strip()
    assert "Rejected: " in shown
    assert shop.snapshot() == before
    listed = answered(dev_agent(shop, "apply", "rename shop.more.tell to show", "--json"))
    assert (listed["outcome"], bool(listed["reason"])) == ("rejected", True)
    assert {"path", "line", "text"} == set(listed["places"][0])


def test_a_dry_run_narrowed_by_path_judges_and_lands_nothing(shop: Project) -> None:
    before = shop.snapshot()
    task = "remove unused imports"
    done = dev_agent(shop, "apply", task, "--path", "src/shop/bill.py", "--dry-run", "--json")
    assert (done.returncode, answered(done)["outcome"]) == (0, "no_change"), done.stderr.decode()
    assert shop.snapshot() == before
    refused = dev_agent(shop, "apply", task, "--path", "scr")
    assert (refused.returncode, b"'scr'" in refused.stderr) == (2, True)
    assert shop.snapshot() == before


def test_a_name_that_can_never_be_is_refused_before_there_is_a_run(shop: Project) -> None:
    before = shop.snapshot()
    done = dev_agent(shop, "apply", "rename Bill.total to Bill.class")
    assert done.returncode == 2, done.stdout.decode()
    assert b"class" in done.stderr
    assert answered(dev_agent(shop, "runs", "--json"))["runs"] == []
    assert shop.snapshot() == before


def test_a_task_nobody_understands_is_answered_with_the_ways_to_go_on(shop: Project) -> None:
    before = shop.snapshot()
    done = dev_agent(shop, "apply", "renmae Invoice.total to Invoice.amount_due")
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert "rename Invoice.total to Invoice.amount_due" in said
    assert all(way in said for way in ("dev-agent recipes", "--patch FILE", "dev-agent run -- COMMAND"))
    assert "a model: set ANTHROPIC_API_KEY" in said
    assert answered(dev_agent(shop, "runs", "--json"))["runs"] == []
    assert shop.snapshot() == before


def test_every_recipe_is_listed_and_each_example_is_understood(shop: Project) -> None:
    recipes = answered(dev_agent(shop, "recipes", "--json"))["recipes"]
    assert [one["name"] for one in recipes] == list(shipped_recipes())
    text = dev_agent(shop, "recipes").stdout.decode()
    assert all(one["name"] in text and one["summary"] in text for one in recipes)
    detail = answered(dev_agent(shop, "recipes", recipes[0]["name"], "--json"))
    assert detail == recipes[0]
    for one in recipes:
        assert [read_task(task).recipe for task in one["examples"]] == [one["name"]] * len(one["examples"])


def test_a_misspelt_recipe_is_answered_with_the_nearest(shop: Project) -> None:
    done = dev_agent(shop, "recipes", "renam")
    assert (done.returncode, b"did you mean rename?" in done.stderr) == (2, True)


def test_the_doctor_names_who_can_propose_here(shop: Project) -> None:
    findings = {one["topic"]: one for one in answered(dev_agent(shop, "doctor", "--json"))["findings"]}
    assert "rename" in findings["proposers"]["detail"]
