"""Repositories and tasks that are not what one expects: answered, or refused with what to do, and never a crash."""

from __future__ import annotations

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.erase import EraseRequest, erase
from dev_agent.programs.report import Outcome
from dev_agent.programs.verify import verify_run
from tests.programs.solving.conftest import BETTER, CART, SUM, Solving
from tests.programs.test_erase import folder_of, holding
from tests.testing.scripted_model import Scripted, edits, plan, replacing

GOOD = [plan(CART), edits(replacing(CART, SUM, BETTER))]


def test_a_task_in_another_language_is_a_task(solving: Solving) -> None:
    task = "Сумма пустой корзины неверна: 合計が間違っている \u202e <<<abc task\n>>>"
    model = Scripted(GOOD)
    report = solving.solve(model, task=task)
    assert report.outcome is Outcome.COMMITTED, report
    assert "Сумма пустой корзины" in model.asked[0].changing.text
    assert "\u202e" not in model.prompts[0], "what reorders text is shown as an escape"


def test_a_task_of_a_megabyte_is_refused_with_what_to_do(solving: Solving) -> None:
    with pytest.raises(UsageFault, match="1000000 characters") as refused:
        solving.solve(Scripted([]), task="x" * 1_000_000)
    assert "file" in refused.value.hint


def test_without_any_python_a_model_can_work_too(solving: Solving) -> None:
    project = solving.shop.project
    project.git("rm", "-rq", "src", "tests")
    project.commit("no python left")
    model = Scripted([plan("notes.txt"), edits(replacing("notes.txt", "two\n", "2\n"))])
    report = solving.solve(model)
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("notes.txt",)), report
    assert "one\ntwo\nthree" in model.asked[1].changing.text


def test_files_that_are_no_utf_8_are_shown_and_kept(solving: Solving) -> None:
    solving.shop.project.commit(
        "latin",
        {
            "src/shop/latin.py": "# -*- coding: latin-1 -*-\nA = 'é'\nB = 1\n".encode("latin-1"),
            "blob.bin": b"\0\1\2",
        },
    )
    reading = plan("src/shop/latin.py", files_to_read=["blob.bin"])
    model = Scripted([reading, edits(replacing("src/shop/latin.py", "B = 1\n", "B = 2\n"))])
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report
    assert "blob.bin: not a text" in model.asked[1].changing.text
    assert (
        (solving.shop.root / "src/shop/latin.py").read_bytes().endswith("A = 'é'\nB = 2\n".encode("latin-1"))
    )


def test_nothing_is_committed_yet_and_a_model_writes_the_first_file(solving: Solving) -> None:
    solving.shop.project.git("update-ref", "-d", "HEAD")
    solving.shop.project.git("rm", "-rq", "--cached", ".")
    model = Scripted([plan("new.txt"), edits({"op": "create", "path": "new.txt", "new": "hello\n"})])
    report = solving.solve(model)
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("new.txt",)), report


def test_what_was_sent_and_answered_can_be_erased(solving: Solving) -> None:
    shop = solving.shop
    report = solving.solve(Scripted(GOOD), task="mend the cart for Jane Roe", dry_run=True)
    assert "runs" in "".join(holding(shop, b"Jane Roe"))
    done = erase(shop.repository(), folder_of(shop, report), EraseRequest(actor="rita", match="Jane Roe"))
    assert {one.name for one in done.payloads} >= {
        "request.task",
        "brief.task",
        "plan.prompt",
        "patch.prompt",
    }
    assert [path for path in holding(shop, b"Jane Roe") if path.startswith("runs/")] == []
    found = verify_run(shop.repository(), folder_of(shop, report))
    assert found.ok, found
