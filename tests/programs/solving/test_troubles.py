"""Calls that bring no answer, and budgets: every end is a final state that says what happened and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dev_agent.programs.report import Outcome
from dev_agent.programs.spending import Spending
from dev_agent.proposers.model import Reply, Trouble, Usage
from tests.programs.solving.conftest import BETTER, CART, SUM, Solving
from tests.testing.scripted_model import Scripted, edits, plan, replacing

GOOD = [plan(CART), edits(replacing(CART, SUM, BETTER))]
PASSING = [one for one in Trouble if one.passing]
ANSWERABLE = [one for one in Trouble if one.answerable]
FOR_A_PERSON = sorted(set(Trouble) - {*PASSING, *ANSWERABLE, Trouble.REFUSED, Trouble.TOO_LARGE})


@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_tried_again_and_then_ends_as_the_machines_fault(
    solving: Solving, trouble: Trouble
) -> None:
    before = solving.shop.project.snapshot()
    report = solving.solve(Scripted([trouble] * 4))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, f"model_{trouble}", 3), (
        report
    )
    assert report.explanation == f"the service said {trouble}"
    assert report.cost["model_calls"] == 4
    assert solving.shop.project.snapshot() == before


def test_what_passed_is_forgotten(solving: Solving) -> None:
    report = solving.solve(
        Scripted([Trouble.OVERLOADED, GOOD[0], Trouble.CUT_OFF, Trouble.RATE_LIMITED, GOOD[1]])
    )
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0), report
    assert report.cost["model_calls"] == 5


@pytest.mark.parametrize("trouble", ANSWERABLE)
def test_what_the_model_can_do_better_is_told_to_it_and_ends_as_a_rejection(
    solving: Solving, trouble: Trouble
) -> None:
    model = Scripted([trouble] * 3)
    report = solving.solve(model)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "unusable_answers", 1), (
        report
    )
    assert f"the service said {trouble}" in report.explanation
    assert f"the service said {trouble}" in model.asked[1].changing.text


@pytest.mark.parametrize("trouble", FOR_A_PERSON)
def test_what_only_a_person_can_mend_ends_at_once(solving: Solving, trouble: Trouble) -> None:
    report = solving.solve(Scripted([trouble]))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, f"model_{trouble}", 3), (
        report
    )
    assert "dev-agent doctor" in report.advice


def test_the_same_unusable_answer_is_asked_for_anew_each_time(solving: Solving) -> None:
    """The third question is the second one to the letter; what is kept for a run that dies must not answer it."""
    model = Scripted([plan()] * 3)
    report = solving.solve(model)
    assert report.reason == "unusable_answers"
    assert len(model.asked) == 3
    assert model.asked[1].digest == model.asked[2].digest


@pytest.mark.parametrize("script", [[Trouble.EMPTY] * 3, [Trouble.FORBIDDEN], [Trouble.REFUSED]])
def test_no_line_of_the_trace_quotes_a_model_or_a_service(solving: Solving, script: list[Trouble]) -> None:
    report = solving.solve(Scripted(script))
    assert "the service said" in report.explanation
    assert b"the service said" not in Path(report.trace).read_bytes()


def test_a_refusal_is_a_rejection(solving: Solving) -> None:
    report = solving.solve(Scripted([GOOD[0], Trouble.REFUSED]))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "model_refused", 1), report


def test_what_is_too_large_is_made_smaller_and_then_given_up(solving: Solving) -> None:
    solving.shop.project.commit(
        "more", {f"src/shop/m{n}.py": b"def total_of_cart() -> int: ...\n" * 200 for n in range(40)}
    )
    model = Scripted([Trouble.TOO_LARGE] * 3)
    report = solving.solve(model)
    assert (report.outcome, report.exit_code) == (Outcome.REJECTED, 1), report
    sizes = [len(prompt) for prompt in model.prompts]
    assert sizes[0] > sizes[1] > sizes[2], sizes


def test_a_service_that_names_a_time_is_given_it_within_bounds(solving: Solving) -> None:
    slept: list[float] = []
    busy = Reply(trouble=Trouble.RATE_LIMITED, detail="wait", model="one", retry_after_ms=3_600_000)
    model = Scripted([busy, *GOOD])
    source = solving.task(model, sleep=slept.append)
    report = solving.solve(model, source=source)
    assert report.outcome is Outcome.COMMITTED
    assert 60 <= sum(slept) <= 70, "a minute for the service, and the program's own pause"


def test_calls_are_bounded(solving: Solving) -> None:
    before = solving.shop.project.snapshot()
    model = Scripted([GOOD[0]])
    report = solving.solve(model, source=solving.task(model, spending=Spending(model_calls=1)))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "budget_model_calls", 4), (
        report
    )
    assert solving.shop.project.snapshot() == before


def test_money_is_bounded(solving: Solving) -> None:
    model = Scripted([GOOD[0]])
    report = solving.solve(model, source=solving.task(model, spending=Spending(money=100)))
    assert (report.reason, report.exit_code) == ("budget_money", 4), report
    assert report.cost["money"] == 120


def test_a_question_the_tokens_left_could_not_pay_is_not_asked(solving: Solving) -> None:
    model = Scripted([])
    report = solving.solve(model, source=solving.task(model, spending=Spending(tokens=300)))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "budget_tokens", 4), report
    assert model.asked == []


def test_an_unknown_price_is_unknown_and_not_nothing(solving: Solving) -> None:
    model = Scripted(GOOD)
    report = solving.solve(model, source=solving.task(model, price=lambda _model, _usage: None))
    assert report.cost["money"] is None
    assert report.cost["unpriced_calls"] == 2


def test_an_answer_that_broke_off_has_cost_something_nobody_knows(solving: Solving) -> None:
    report = solving.solve(Scripted([Trouble.CUT_OFF, Trouble.OVERLOADED, *GOOD]))
    assert report.cost["unpriced_calls"] == 1, "what was turned away at the door cost nothing"
    assert (report.cost["money"], report.cost["money_known"]) == (None, 240)


def test_a_reply_is_recorded_with_what_the_service_said_of_it(solving: Solving) -> None:
    odd = Reply(
        content={"question": "x", **GOOD[0]}, text="…", model="m\x1b[31m" * 100, request_id="r\n1", stop="end",
        usage=Usage(input=1, output=2, cache_read=3, cache_write=4), ms=9,
    )  # fmt: skip
    report = solving.solve(Scripted([odd, GOOD[1]]))
    recorded: Any = next(e for e in solving.events(report) if e.type == "left" and e.data["state"] == "plan")
    (call,) = recorded.data["data"]["calls"]
    assert call["usage"] == {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4}
    assert (call["request_id"], call["micro_usd"], call["purpose"], call["trouble"]) == (
        "r?1",
        10,
        "plan",
        "",
    )
    assert len(call["model"]) == 200
    assert call["model"].isprintable()
