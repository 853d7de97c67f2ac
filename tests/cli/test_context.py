"""`dev-agent context` as people and programs call it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dev_agent.programs.briefing import Briefer
from dev_agent.programs.storage import StoredKind, stored
from tests.cli.test_scenarios import answered
from tests.cli.test_scenarios import dev_agent as dev_agent_in
from tests.context.conftest import SHOP
from tests.testing.repos import Project, make_repository

TASK = "the total of a bill is wrong"
CHECKOUT = str(Path(__file__).parents[2])
KEY = "ghp_" + "a1B2c3D4e5F6" * 3


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A package with history, a secret in a docstring and an environment file."""
    return make_repository(
        tmp_path,
        {**SHOP, ".env": b"TOTAL_KEY=hunter2\n", "src/shop/forge.py": f'"""Bill with {KEY}."""\n'.encode()},
    )


def dev_agent(project: Project, *args: str, stdin: str | bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command of this checkout."""
    return dev_agent_in(project, *args, stdin=stdin, PYTHONPATH=CHECKOUT)


def asked(project: Project, *args: str, stdin: str | bytes = b"", code: int = 0) -> Any:
    done = dev_agent(project, "context", *args, "--json", stdin=stdin)
    assert done.returncode == code, done.stderr.decode()
    return answered(done)


def test_people_see_the_map_the_reasons_and_the_tokens(shop: Project) -> None:
    done = dev_agent(shop, "context", TASK)
    shown = done.stdout.decode()
    assert done.returncode == 0
    assert shown.splitlines()[1].split()[:2] == ["1", "src/shop/bill.py"]
    assert "text +1.00" in shown
    assert "def total(self, net: int) -> int  # Net and tax together." in shown
    assert "of 8000 tokens" in shown
    assert "1 file withheld" in shown


def test_programs_get_the_same_with_every_part(shop: Project) -> None:
    told = asked(shop, TASK)
    assert told["base"] == shop.git("rev-parse", "HEAD")
    assert told["ranked"][0] == told["sections"][0]["path"] == "src/shop/bill.py"
    assert sum(section["tokens"] for section in told["sections"]) < told["tokens"] <= told["budget"] == 8000
    for section in told["sections"]:
        assert sum(section["parts"].values()) == pytest.approx(section["score"], abs=1e-5)


def test_what_is_printed_is_what_a_model_gets(shop: Project) -> None:
    briefer = Briefer(shop.repository(), shop.git("rev-parse", "HEAD"))
    told = asked(shop, TASK)
    assert told["map"] == briefer.map(TASK).text
    assert "".join(one["text"] for one in told["texts"]["excerpts"]) in briefer.files(TASK).text
    assert told["texts"]["tokens"] <= told["texts"]["budget"] == 24_000
    assert [one["path"] for one in told["texts"]["excerpts"]] == told["ranked"][:6]
    full = dev_agent(shop, "context", TASK, "--full").stdout.decode()
    assert "        return round_half_even(net)\n" in full
    brief = dev_agent(shop, "context", TASK).stdout.decode()
    assert "return round_half_even(net)" not in brief
    assert "read them with --full" in brief
    assert asked(shop, TASK, "--files", "0")["texts"]["excerpts"] == []


def test_rank_prints_paths_only(shop: Project) -> None:
    told = asked(shop, TASK, "--rank")
    assert set(told) == {"base", "ranked"}
    lines = dev_agent(shop, "context", TASK, "--rank").stdout.decode().splitlines()
    assert lines == told["ranked"]


def test_a_task_comes_from_a_file_or_from_standard_input(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "task.txt"
    file.write_text(TASK)
    wanted = asked(shop, TASK)
    assert asked(shop, "--task-file", str(file)) == wanted
    assert asked(shop, "--task-file", "-", stdin=TASK) == wanted


def test_neither_secrets_nor_environment_files_are_shown(shop: Project) -> None:
    done = dev_agent(shop, "context", "put TOTAL_KEY of .env and the forge into the bill")
    assert b"hunter2" not in done.stdout
    assert KEY.encode() not in done.stdout
    assert b"1 line redacted" in done.stdout


def test_paths_narrow_it_and_a_path_that_is_not_there_is_said(shop: Project) -> None:
    told = asked(shop, TASK, "--path", "tests")
    assert told["ranked"] == ["tests/test_bill.py"]
    assert "--path covers no file" in asked(shop, TASK, "--path", "nowhere", code=2)["error"]["message"]


def test_the_base_is_what_is_looked_at_and_the_work_tree_is_not(shop: Project) -> None:
    old = shop.git("rev-parse", "HEAD")
    shop.commit("Add carts", {"src/shop/cart.py": b"class Cart: ...\n"})
    shop.write("src/shop/loose.py", b"class Cart: ...\n")
    assert asked(shop, "`Cart`")["ranked"][0] == "src/shop/cart.py"
    assert "src/shop/cart.py" not in asked(shop, "`Cart`", "--base", old)["ranked"]
    assert "src/shop/loose.py" not in asked(shop, "`Cart`")["ranked"]
    assert "no commit" in asked(shop, TASK, "--base", "nope", code=2)["error"]["message"]


def test_nothing_of_the_user_s_changes(shop: Project) -> None:
    before = shop.snapshot()
    asked(shop, TASK)
    assert shop.snapshot() == before


def test_what_is_remembered_changes_no_answer_and_gc_bounds_it(shop: Project) -> None:
    first = asked(shop, TASK)
    assert asked(shop, TASK) == first
    kept = [one for one in stored(shop.repository()) if one.kind is StoredKind.INDEX]
    assert kept
    assert dev_agent(shop, "gc", "--limit", "0").returncode == 0
    assert not any(one.path.exists() for one in kept)
    assert asked(shop, TASK) == first


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "give the task once"),
        ((TASK, "--task-file", "x"), "give the task once"),
        (("--task-file", "missing.txt"), "No such file"),
        (("  ",), "the task is empty"),
        ((TASK, "--budget", "5"), "shows nothing"),
        ((TASK, "--files", "-1"), "a budget of -1 tokens for files"),
        ((TASK, "--path", "/etc"), "--path"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_words(shop: Project, args: tuple[str, ...], said: str) -> None:
    assert said in asked(shop, *args, code=2)["error"]["message"]


def test_a_task_of_a_megabyte_is_read(shop: Project) -> None:
    noise = "".join(f"INFO line {number} of the log\n" for number in range(40_000))
    assert len(noise) > 1_000_000
    told = asked(shop, "--task-file", "-", stdin=f"`round_half_even` is wrong\n{noise}")
    assert told["ranked"][0] == "src/shop/money.py"


def test_a_task_beyond_all_measure_is_refused(shop: Project) -> None:
    told = asked(shop, "--task-file", "-", stdin="x " * (3 << 20), code=2)
    assert "characters" in told["error"]["message"]


def test_a_repository_without_python_and_files_of_any_bytes(tmp_path: Path) -> None:
    project = make_repository(
        tmp_path,
        {
            "cart.go": b"package cart\n\nfunc Total(items []int) int {\n",
            "latin.txt": "Größe".encode("latin-1"),
            os.fsdecode(b"na\xefve.js"): b"function naive() {}\n",
            "link": ("120000", b"cart.go"),
            "blob.bin": b"\0\1\2",
        },
    )
    told = asked(project, "Total of naive items")
    assert told["ranked"][0] == "cart.go"
    assert {"pathB64"} in [set(one) for one in told["ranked"] if isinstance(one, dict)]
    assert json.dumps(told)


def test_a_repository_without_a_commit_has_nothing_to_show(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b""})
    project.git("checkout", "--quiet", "--orphan", "fresh")
    project.git("update-ref", "-d", "refs/heads/fresh")
    told = asked(project, TASK)
    assert (told["base"], told["ranked"], told["sections"]) == (None, [], [])


def test_a_bare_repository_works(shop: Project, tmp_path: Path) -> None:
    shop.git("clone", "--quiet", "--bare", str(shop.root), str(tmp_path / "bare.git"))
    bare = Project(root=tmp_path / "bare.git", environ=shop.environ)
    assert asked(bare, TASK)["ranked"] == asked(shop, TASK)["ranked"]
