"""A model plans, writes and repairs; what it wrote is judged as any change is, or leaves nothing."""

from __future__ import annotations

from dev_agent.cancel import Cancel
from dev_agent.programs.folders import find_run
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.engine import Reporter
from tests.programs.solving.conftest import BETTER, CART, SUM, TESTS_ONLY, WRONG, Solving
from tests.testing.scripted_model import Scripted, edits, plan, replacing

PLANNED = ["begin.ready", "brief.planning", "plan.planned", "brief.writing", "patch.proposed"]


def same_again(solving: Solving, report: RunReport) -> None:
    """The run verifies, and a replay that asks nobody goes the same way to the same tree."""
    repository = solving.shop.repository()
    folder = find_run(repository, report.run)
    found = verify_run(repository, folder)
    assert found.ok, found
    compared = replay(
        repository, folder, environ=solving.shop.project.environ, reporter=Reporter(), cancel=Cancel()
    )
    assert compared.same, compared.difference
    assert compared.tree == (report.tree or "")


def test_a_plan_and_edits_become_one_commit(solving: Solving) -> None:
    model = Scripted([plan(CART), edits(replacing(CART, SUM, BETTER))])
    report = solving.solve(model, policy=TESTS_ONLY)
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0), report
    assert report.files == (CART,)
    assert BETTER in (solving.shop.root / CART).read_text()
    assert solving.shop.status() == ""
    assert solving.path(report) == [
        *PLANNED, "stage.staged", "scope.within", "hooks.passed", "check_policy.allowed", "check.passed",
        "consent.free", "land.landed",
    ]  # fmt: skip
    assert (report.cost["model_calls"], report.cost["tokens"], report.cost["money"]) == (2, 240, 240)
    assert report.proposer == "scripted one"
    same_again(solving, report)


def test_what_failed_is_told_and_repaired_in_the_staged_text(solving: Solving) -> None:
    model = Scripted(
        [
            plan(CART),
            edits(replacing(CART, SUM, WRONG)),
            edits(replacing(CART, WRONG, BETTER)),
        ]
    )
    report = solving.solve(model, policy=TESTS_ONLY)
    assert report.outcome is Outcome.COMMITTED, report
    assert (
        (solving.shop.root / CART).read_text().startswith(f"def total(prices: list[int]) -> int:\n{BETTER}")
    )
    assert "check.failed" in solving.path(report)
    assert "repair.again" in solving.path(report)
    told = model.asked[2].changing.text
    assert "test_total" in told
    assert "assert 4 == 3" in told
    assert WRONG in told, "the files are shown with what was staged"
    assert "::test_count" not in told, "what passes is not told"
    same_again(solving, report)


def test_more_is_shown_when_it_is_asked_for_and_an_answer_follows(solving: Solving) -> None:
    wanting = plan(answer="needs_context", files_to_read=["src/shop/names.py"], searches=["hello"])
    model = Scripted(
        [
            wanting,
            plan(CART),
            edits(answer="needs_context", symbols=["count"]),
            edits(replacing(CART, SUM, BETTER)),
        ]
    )
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report
    assert solving.path(report)[:9] == [
        "begin.ready", "brief.planning", "plan.needs_context", "retrieve.retrieved", "brief.planning",
        "plan.planned", "brief.writing", "patch.needs_context", "retrieve.retrieved",
    ]  # fmt: skip
    assert 'GREETING: str = "hello"' in model.asked[1].changing.text
    same_again(solving, report)


def test_asking_for_more_instead_of_answering_ends(solving: Solving) -> None:
    before = solving.shop.project.snapshot()
    model = Scripted([plan(answer="needs_context", searches=[f"text {n}"]) for n in range(4)])
    report = solving.solve(model)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "context_exhausted", 1)
    assert solving.shop.project.snapshot() == before


def test_the_same_failure_twice_starts_over_and_a_third_time_ends_with_nothing_changed(
    solving: Solving,
) -> None:
    unfit = edits(replacing(CART, "    return sums(prices)\n", BETTER))
    before = solving.shop.project.snapshot()
    model = Scripted([plan(CART), unfit, unfit, plan(CART), unfit])
    report = solving.solve(model)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "unresolved", 1), report
    path = solving.path(report)
    assert [step for step in path if step.startswith("repair")] == [
        "repair.again",
        "repair.fresh",
        "repair.stuck",
    ]
    again = model.asked[3].changing.text
    assert "Start over from the files as they are" in again
    assert SUM in again, "a fresh start shows the base"
    assert "return sums(prices)" in again, "with what was learnt"
    assert solving.shop.project.snapshot() == before
    assert report.cost["model_calls"] == 5


def test_edits_that_do_not_fit_go_back_with_the_nearest_real_lines(solving: Solving) -> None:
    model = Scripted(
        [
            plan(CART),
            edits(replacing(CART, "    return sums(prices)\n", BETTER)),
            edits(replacing(CART, SUM, BETTER)),
        ]
    )
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report
    assert "stage.unresolved" in solving.path(report)
    told = model.asked[2].changing.text
    assert "none of them was made" in told
    assert "return sum(prices)" in told.split("none of them was made")[1]


def test_edits_that_change_nothing_are_no_verdict(solving: Solving) -> None:
    model = Scripted([plan(CART), edits(replacing(CART, SUM, SUM)), edits(replacing(CART, SUM, BETTER))])
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report
    assert "stage.empty" in solving.path(report)
    assert "Your last edits change nothing" in model.asked[2].changing.text


def test_an_unusable_answer_is_told_what_is_wrong_with_it(solving: Solving) -> None:
    model = Scripted(
        [
            plan(*(f"src/f{n}.py" for n in range(5_000))),
            plan("../etc/passwd", ".env", CART),
            plan(CART),
            edits(),
            edits({"op": "explode", "path": CART}),
            edits(patch="no patch at all"),
        ]
    )
    report = solving.solve(model)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "unusable_answers", 1)
    told = [one.changing.text for one in model.asked]
    assert "files_to_edit has 5000 entries, 40 are allowed" in told[1]
    assert "'.env' may hold secrets and is out of reach" in told[2]
    assert "'..'" in told[2]
    assert "there are no edits" in told[4]
    assert "explode" in told[5]
    assert "could not be used" in report.explanation


def test_a_plan_may_name_files_that_are_not_there_and_is_told(solving: Solving) -> None:
    reading = plan(CART, files_to_read=["src/shop/carts.py", ".env"])
    model = Scripted([reading, edits(replacing(CART, SUM, BETTER))])
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report
    shown = model.asked[1].changing.text
    assert "src/shop/carts.py: no such file; near it: src/shop/cart.py" in shown
    assert ".env: environments, keys and credentials are never shown" in shown


def test_any_text_format_is_taken(solving: Solving) -> None:
    block = f"{CART}\n<<<<<<< SEARCH\n{SUM}=======\n{BETTER}>>>>>>> REPLACE\n"
    model = Scripted([plan(CART), edits(patch=block)])
    report = solving.solve(model)
    assert report.outcome is Outcome.COMMITTED, report


def test_a_model_that_declines_leaves_nothing(solving: Solving) -> None:
    before = solving.shop.project.snapshot()
    report = solving.solve(Scripted([plan(answer="declined", reason="this would be harmful")]))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "model_declined", 1)
    assert report.explanation == "the model declined: this would be harmful"
    assert solving.shop.project.snapshot() == before
