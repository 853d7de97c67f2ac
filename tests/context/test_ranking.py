"""Which file stands first, and why."""

from __future__ import annotations

import pytest

from dev_agent.context.folder import IndexFolder
from dev_agent.context.model import Ranked
from dev_agent.context.past import Past, past_from, past_of
from tests.context.conftest import SHOP, MemorySource, paths, ranked


@pytest.mark.parametrize(
    ("task", "first"),
    [
        ("the total of a bill is wrong", "src/shop/bill.py"),
        ("`round_half_even` rounds the wrong way", "src/shop/money.py"),
        ("RoundHalfEven rounds the wrong way", "src/shop/money.py"),
        ("writing csv files fails", "src/shop/export.py"),
        ("clean up src/shop/stock.py", "src/shop/stock.py"),
        (r"clean up C:\work\src\shop\stock.py", "src/shop/stock.py"),
        ("shop.stock is slow", "src/shop/stock.py"),
        (
            'Traceback (most recent call last):\n  File "/srv/app/src/shop/export.py", line 2, in write_csv\n',
            "src/shop/export.py",
        ),
        ("Die Klasse Shelf zählt falsch", "src/shop/stock.py"),
    ],
)
def test_what_the_task_is_about_stands_first(task: str, first: str) -> None:
    assert paths(ranked(MemorySource(SHOP), task))[0] == first


def test_every_part_of_a_score_is_told_and_they_add_up() -> None:
    past = past_of([("total", ["src/shop/bill.py", "src/shop/money.py"])])
    for one in ranked(MemorySource(SHOP), "the total of a bill in bill.py", past=past):
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-5)


def test_code_stands_before_the_text_that_speaks_of_it_and_before_its_tests() -> None:
    found = paths(ranked(MemorySource(SHOP), "total of a bill"))
    assert found.index("src/shop/bill.py") < min(found.index("README.md"), found.index("tests/test_bill.py"))


def part(found: list[Ranked], path: str, name: str) -> float:
    return next((one.parts.get(name, 0.0) for one in found if one.path == path), 0.0)


def test_what_a_hit_imports_is_near_it_and_what_is_not_imported_is_not() -> None:
    found = ranked(MemorySource(SHOP), "the class Bill")
    assert part(found, "src/shop/money.py", "near") > 0
    assert part(found, "src/shop/stock.py", "near") == 0


def test_a_relative_import_is_followed() -> None:
    files = {
        "pkg/__init__.py": b"",
        "pkg/a.py": b"from . import b\nfrom ..no import thing\n\ndef apple() -> None: ...\n",
        "pkg/b.py": b"X = 1\n",
        "pkg/c.py": b"Y = 1\n",
    }
    found = ranked(MemorySource(files), "apple")
    assert part(found, "pkg/b.py", "near") > 0
    assert part(found, "pkg/c.py", "near") == 0


def test_a_file_that_changed_together_with_the_hit_is_lifted() -> None:
    past = past_of([("x", ["src/shop/bill.py", "src/shop/export.py"])] * 3)
    found = ranked(MemorySource(SHOP), "the class Bill", past=past)
    assert part(found, "src/shop/export.py", "history") > 0
    assert "src/shop/export.py" not in paths(ranked(MemorySource(SHOP), "the class Bill"))


def test_what_was_changed_for_a_like_task_is_lifted() -> None:
    past = past_of([("Invoices in euros", ["src/shop/stock.py"]), ("Other", ["src/shop/export.py"])])
    found = ranked(MemorySource(SHOP), "invoices are not in euros", past=past)
    assert paths(found)[0] == "src/shop/stock.py"


def test_a_file_of_which_messages_often_speak_in_the_task_s_words_is_lifted_over_one_named_once_in_passing() -> (
    None
):
    often = [("Invoices in euros", ["src/shop/stock.py"])] * 3
    past = past_of([("Invoices", ["src/shop/export.py", "src/shop/money.py", "README.md"]), *often])
    said = past.said_of([("invoic", 1.0)])
    assert said["src/shop/stock.py"] == 1.0 > said["src/shop/export.py"] > 0
    assert "src/shop/bill.py" not in said
    found = ranked(MemorySource(SHOP), "invoices are not in euros", past=past)
    assert paths(found)[0] == "src/shop/stock.py"


def test_a_sweep_over_everything_says_nothing() -> None:
    assert past_of([("format", [f"f{n}.py" for n in range(500)])]).paths == ()


def test_a_past_is_the_same_after_it_was_kept() -> None:
    past = past_of([("one thing", ["a.py", "b.py"]), ("another thing", ["b.py"])])
    again = past_from(past.to_bytes())
    for task in (["thing"], ["one"], ["other"]):
        assert again.alike(task) == past.alike(task)
        weighted = [(term, 1.0) for term in task]
        assert again.said_of(weighted) == past.said_of(weighted)
    assert again.lately() == past.lately()
    assert again.together_with({"a.py": 1.0}) == past.together_with({"a.py": 1.0}) == {"b.py": 1.0}


def test_paths_of_history_that_are_gone_are_not_ranked() -> None:
    past = Past(paths=(("gone.py",),), words={"bill": [0]})
    assert "gone.py" not in paths(ranked(MemorySource(SHOP), "bill", past=past))


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "deploy/.env.production",
        "app.env",
        "certs/server.pem",
        "id_rsa",
        ".ssh/config",
        "config/secrets.yml",
    ],
)
def test_an_environment_or_key_file_is_never_read_nor_ranked_even_when_named(path: str) -> None:
    source = MemorySource({**SHOP, path: b"TOKEN=hunter2 bill total\n"})
    found = ranked(source, f"put the token of {path} into the bill", IndexFolder(None))
    assert path not in paths(found)
    assert source.files()[path][1] not in source.read


def test_an_example_of_an_environment_file_is_an_ordinary_file() -> None:
    assert ".env.example" in paths(ranked(MemorySource({**SHOP, ".env.example": b"TOTAL=1\n"}), "total"))


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("vendor/bill.py", b"class Bill:\n    def total(self): ...\n"),
        ("src/bill_pb2.py", b"class Bill:\n    def total(self): ...\n"),
        ("src/bill_made.py", b"# @generated by a tool. DO NOT EDIT\nclass Bill:\n    def total(self): ...\n"),
        ("poetry.lock", b"bill total " * 100),
        ("bill-total.png", b"\x89PNG\0bill total"),
    ],
)
def test_what_nobody_writes_by_hand_stands_behind(path: str, data: bytes) -> None:
    found = paths(ranked(MemorySource({**SHOP, path: data}), "the class Bill and its total"))
    assert path not in found[:1]
    assert found[0] == "src/shop/bill.py"
