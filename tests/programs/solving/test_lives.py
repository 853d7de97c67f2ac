"""A model's run stops, waits, dies and goes on; what is on record is not asked twice, and waiting needs no key."""

from __future__ import annotations

import os
import signal

import pytest

from dev_agent.cancel import Cancel
from dev_agent.programs.folders import all_runs
from dev_agent.programs.report import Outcome
from dev_agent.programs.spending import Spending, in_words, program_of_run
from dev_agent.programs.story import told
from dev_agent.proposers.model import Ask
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Watching
from tests.programs.solving.conftest import BETTER, CART, SUM, WRONG, Solving
from tests.programs.test_interrupted import Dying
from tests.testing.children import in_child
from tests.testing.scripted_model import Said, Scripted, edits, plan, replacing

GOOD = [plan(CART), edits(replacing(CART, SUM, BETTER))]
ASKING = 'name = "asking"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[scope]\nprotected = ["src/**"]\n[on]\n'


def test_a_dry_run_is_verified_and_lands_nothing(solving: Solving) -> None:
    before = solving.shop.project.snapshot()
    report = solving.solve(Scripted(GOOD), dry_run=True)
    assert (report.outcome, report.exit_code, report.files) == (Outcome.VERIFIED, 0, (CART,))
    assert solving.shop.project.snapshot() == before


def test_it_lands_on_the_branch_that_is_named(solving: Solving) -> None:
    head = solving.shop.head()
    report = solving.solve(Scripted(GOOD), branch="mended")
    assert report.outcome is Outcome.COMMITTED
    assert solving.shop.head() == head
    assert BETTER in solving.shop.project.git("show", f"mended:{CART}") + "\n"


def test_one_key_is_one_run_and_one_bill(solving: Solving) -> None:
    policy = solving.shop.policy(NO_GATES)
    first = solving.solve(Scripted(GOOD), key="mend-it", policy=policy)
    again = solving.solve(Scripted([]), key="mend-it", policy=policy)
    assert (first.run, first.outcome) == (again.run, again.outcome)


def test_a_person_who_approves_needs_no_model(solving: Solving) -> None:
    report = solving.solve(Scripted(GOOD), policy=ASKING)
    assert (report.outcome, report.exit_code) == (Outcome.SUSPENDED, 5), report
    after = solving.shop.decide(report.run, approved=True)
    assert after.outcome is Outcome.COMMITTED, after


def test_what_is_kept_lands_once_the_way_is_free(solving: Solving) -> None:
    (solving.shop.root / CART).write_text("mine\n")
    report = solving.solve(Scripted(GOOD))
    assert (report.outcome, report.exit_code) == (Outcome.KEPT, 6), report
    solving.shop.project.git("checkout", "--", CART)
    assert solving.resume(report.run, Scripted([])).outcome is Outcome.COMMITTED


def test_it_can_be_undone(solving: Solving) -> None:
    before = solving.shop.project.tree()
    report = solving.solve(Scripted(GOOD))
    assert solving.shop.undo(report.run).outcome is Outcome.COMMITTED
    assert solving.shop.project.tree() == before


def test_stopped_while_a_model_answers_it_goes_on_with_that_question(solving: Solving) -> None:
    before = solving.shop.project.snapshot()
    cancel = Cancel()

    def stopped(_ask: Ask) -> Said:
        cancel.request()
        raise KeyboardInterrupt

    first = Scripted([GOOD[0], stopped])
    report = solving.solve(first, cancel=cancel)
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130), report
    assert solving.shop.project.snapshot() == before
    second = Scripted([GOOD[1]])
    after = solving.resume(report.run, second)
    assert after.outcome is Outcome.COMMITTED, after
    assert second.asked[0].digest == first.asked[1].digest, "the same question, to the letter"
    assert after.cost["model_calls"] == 2


@pytest.mark.kill
@pytest.mark.parametrize("when", ["entered", "left"])
@pytest.mark.parametrize(("state", "asked"), [("plan", 0), ("patch", 1), ("repair", 2), ("brief", 0)])
def test_killed_between_two_calls_nothing_on_record_is_asked_again(
    solving: Solving, state: str, asked: int, when: str
) -> None:
    unfit = edits(replacing(CART, "    nothing like it\n", BETTER))
    script = [plan(CART), unfit, edits(replacing(CART, SUM, BETTER))]
    before = solving.shop.project.snapshot()
    status = in_child(lambda: solving.solve(Scripted(script), reporter=Dying(state, when=when)))
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert solving.shop.project.snapshot() == before
    (folder,) = all_runs(solving.shop.repository())
    paid = asked + (when == "left" and state in ("plan", "patch"))
    rest = Scripted(script[paid:])
    report = solving.resume(folder.run, rest)
    assert report.outcome is Outcome.COMMITTED, report
    assert len(rest.asked) == len(script) - paid
    assert report.cost["model_calls"] == len(script)


@pytest.mark.kill
def test_killed_between_an_answer_and_its_record_it_is_not_paid_for_twice(solving: Solving) -> None:
    """What an answer costs is asked for when it is there and before anything is recorded: the moment to die."""

    def dying(_model: str, _usage: object) -> int | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    source = solving.task(Scripted(GOOD[:1]), price=dying)
    status = in_child(lambda: solving.solve(Scripted([]), source=source))
    assert os.WIFSIGNALED(status)
    (folder,) = all_runs(solving.shop.repository())
    assert len(list((folder.path / "answers").iterdir())) == 1
    rest = Scripted(GOOD[1:])
    report = solving.resume(folder.run, rest)
    assert report.outcome is Outcome.COMMITTED, report
    assert len(rest.asked) == 1, "the plan was there already"
    assert report.cost["model_calls"] == 2
    assert not (folder.path / "answers").exists()


def test_a_run_that_goes_on_keeps_the_limits_it_began_with(solving: Solving) -> None:
    cancel = Cancel()

    def stopped(_ask: Ask) -> Said:
        cancel.request()
        raise KeyboardInterrupt

    model = Scripted([stopped])
    source = solving.task(model, spending=Spending(model_calls=1, money=7_000_000))
    report = solving.solve(model, cancel=cancel, source=source)
    assert report.outcome is Outcome.INTERRUPTED
    program = program_of_run(told(solving.events(report)))
    assert in_words(program) == "1 calls, 2,000,000 tokens, $7.00, 60 minutes"
    after = solving.resume(report.run, Scripted([GOOD[0]]))
    assert (after.reason, after.exit_code) == ("budget_model_calls", 4), after


def test_a_moved_branch_is_followed_and_a_failure_there_is_repaired_from_the_base(solving: Solving) -> None:
    """The staged change stands on the moved branch then; edits are still made to what the model was shown."""
    shop = solving.shop
    files = {
        "tests/test_more.py": b"from shop.cart import total\n\n\ndef test_none() -> None:\n    assert total([]) == 0\n"
    }
    wrong_there = "    return sum(prices) if prices else 1\n"
    model = Scripted(
        [plan(CART), edits(replacing(CART, SUM, wrong_there)), edits(replacing(CART, SUM, BETTER))]
    )
    report = solving.solve(
        model, policy=TESTS_ONLY, reporter=Watching("land", lambda: shop.project.commit("meanwhile", files))
    )
    assert report.outcome is Outcome.COMMITTED, report
    assert report.files == (CART,)
    path = solving.path(report)
    assert "rebase.rebased" in path
    assert "check.failed" in path
    assert "test_none" in model.asked[2].changing.text
    assert SUM in model.asked[2].changing.text
    assert WRONG not in (shop.root / CART).read_text()
    assert (shop.root / "tests/test_more.py").exists()
