"""What a model is shown of a real repository: of its objects, within budgets, never what is withheld."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.context.failures import Place
from dev_agent.context.reading import Reason
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.wanted import Wanted
from dev_agent.errors import UsageFault
from dev_agent.gates.verdict import Failure, GateResult, Verdict
from dev_agent.programs.briefing import Brief, Briefer
from tests.context.conftest import SHOP
from tests.context.library import blocks_in
from tests.testing.repos import Project, make_repository

TASK = "the total of a bill is wrong"
SECRET = "hunter2-of-the-shop"
KEY = "ghp_" + "a1B2c3D4e5F6" * 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A package with an environment file, a link to it, a credential in code, and an untracked file."""
    project = make_repository(
        tmp_path_factory.mktemp("shop"),
        {
            **SHOP,
            ".env": f"TOKEN={SECRET}\n".encode(),
            "notes.txt": ("120000", b".env"),
            "src/shop/forge.py": f'"""Bills of the forge."""\n\nTOKEN = "{KEY}"\n'.encode(),
            "src/shop/groß.py": b"def gross(): return 'a literal [text]'\n",
        },
    )
    project.write("src/shop/loose.py", b"def total(): 'in the work tree only'\n")
    return project


def briefer(project: Project, *paths: str) -> Briefer:
    return Briefer(project.repository(), project.git("rev-parse", "HEAD"), paths=paths)


def sound(brief: Brief) -> Brief:
    """The brief, after what holds for each: it fits, it is fenced, it holds nothing that is withheld."""
    assert estimated_tokens(brief.text) == brief.tokens <= brief.budget
    blocks_in(brief.text)
    assert f"TOKEN={SECRET}" not in brief.text
    assert KEY not in brief.text
    assert "work tree only" not in brief.text
    return brief


def titles(brief: Brief) -> list[str]:
    return [title for title, _ in blocks_in(brief.text)]


def test_the_map_is_one_block_within_its_budget(shop: Project) -> None:
    for budget in (140, 200, 8000):
        brief = sound(briefer(shop).map(TASK, budget=budget))
        ((title, body),) = blocks_in(brief.text)
        assert title.startswith("map")
        assert body.startswith("src/shop/bill.py: What a customer pays.\n")


def test_without_a_plan_the_best_ranked_files_are_shown(shop: Project) -> None:
    brief = sound(briefer(shop).files(TASK))
    assert titles(brief)[0] == "file src/shop/bill.py (whole, 9 lines)"
    assert brief.excerpts[0].why == "ranked 1"


def test_with_a_plan_its_files_are_shown_and_what_is_not_there_is_told(shop: Project) -> None:
    plan = ("src/shop/stock.py", "src/shop/new.py", ".env", "notes.txt", "../x")
    brief = sound(briefer(shop).files(TASK, plan_files=plan))
    assert titles(brief) == ["file src/shop/stock.py (whole, 3 lines)", "not shown"]
    assert [one.reason for one in brief.refused] == [
        Reason.ABSENT,
        Reason.WITHHELD,
        Reason.LINK,
        Reason.NO_PATH,
    ]
    assert brief.to_json()["refused"][1] == {"what": ".env", "reason": "withheld"}


def test_what_was_asked_for_is_found_by_symbol_and_by_text(shop: Project) -> None:
    wanted = Wanted(symbols=("Shelf.count", "loose.total"), searches=("a literal [text]", SECRET, KEY))
    brief = sound(briefer(shop).files(TASK, wanted=wanted))
    assert [one.path for one in brief.excerpts] == ["src/shop/stock.py", "src/shop/groß.py"]
    assert [one.reason for one in brief.refused] == [Reason.NOT_FOUND] * 3
    assert not any(KEY in one.what for one in brief.refused)


def test_a_staged_tree_is_what_is_shown_once_there_is_one(shop: Project) -> None:
    files = {path: ("100644", data) for path, data in SHOP.items() if path != "src/shop/export.py"}
    files["src/shop/bill.py"] = ("100644", b"def total(net): return net * 2  # staged\n")
    tree = shop.make_tree(files)
    brief = sound(
        briefer(shop).files(TASK, staged_tree=tree, wanted=Wanted(searches=("# staged",), symbols=("Bill",)))
    )
    assert "net * 2  # staged" in brief.text
    assert "class Bill" not in brief.text
    assert "changed so far" in brief.excerpts[0].why
    assert {one.what: one.reason for one in brief.refused}["src/shop/export.py"] is Reason.ABSENT
    verdict = Verdict(
        gate="types", result=GateResult.FAILED, reason="new", tree=tree, base_tree=tree,
        new_failures=(Failure(id="src/shop/bill.py:total", path="src/shop/bill.py", line=1, message="boom"),),
    )  # fmt: skip
    failed = sound(briefer(shop).failures([verdict], staged_tree=tree))
    assert "    1| def total(net): return net * 2  # staged\n" in failed.text
    assert failed.places == (Place(path="src/shop/bill.py", line=1),)


def test_paths_confine_all_of_it(shop: Project) -> None:
    confined = briefer(shop, "tests")
    assert [section.ranked.path for section in confined.map(TASK).sections] == ["tests/test_bill.py"]
    wanted = Wanted(files=("src/shop/bill.py",), symbols=("Shelf",), searches=("a literal [text]",))
    brief = sound(confined.files(TASK, wanted=wanted))
    assert brief.excerpts == ()
    assert [one.reason for one in brief.refused] == [Reason.OUTSIDE, Reason.NOT_FOUND, Reason.NOT_FOUND]


@pytest.mark.parametrize("budget", [0, 50, 130, 400])
def test_any_budget_is_kept(shop: Project, budget: int) -> None:
    wanted = Wanted(files=tuple(f"missing{n}.py" for n in range(30)), searches=("total",))
    brief = sound(briefer(shop).files(TASK, plan_files=tuple(SHOP), wanted=wanted, budget=budget))
    assert brief.tokens <= budget


def test_a_second_briefer_says_the_same_and_nothing_of_the_user_s_changes(shop: Project) -> None:
    before = shop.snapshot()
    wanted = Wanted(searches=("round_half_even",))
    first = briefer(shop).files(TASK, wanted=wanted), briefer(shop).map(TASK)
    assert (briefer(shop).files(TASK, wanted=wanted), briefer(shop).map(TASK)) == first
    assert shop.snapshot() == before


def test_a_repository_without_a_commit_has_nothing_to_show(tmp_path: Path) -> None:
    project = make_repository(tmp_path, {"a.py": b""})
    fresh = Briefer(project.repository(), None)
    assert sound(fresh.map(TASK)).text == ""
    assert sound(fresh.files(TASK)).text == ""
    assert sound(fresh.files(TASK, wanted=Wanted(searches=("anything",)))).excerpts == ()


def test_a_task_that_cannot_be_meant_is_refused_with_words(shop: Project) -> None:
    with pytest.raises(UsageFault, match="the task is empty"):
        briefer(shop).map(" \n")
