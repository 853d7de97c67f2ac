"""A run that waits for a person: answered once, by whom it may be, for what was asked, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.policy import schema
from dev_agent.programs import builtin
from dev_agent.programs.folders import find_run
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.resume import decide_approval
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import WrongProgram
from dev_agent.runtime.fold import LEFT
from dev_agent.runtime.trace import read_trace
from tests.programs.conftest import HARMLESS, Shop
from tests.programs.test_interrupted import Dying
from tests.testing.children import in_child, start_child

ASKS = (
    'name = "asks"\nversion = 1\n[scope]\nprotected = ["notes.txt"]\n[gates]\ntypes = "off"\ntests = "off"\n'
)
ASKS_AND_TESTS = ASKS.replace('tests = "off"', 'tests = "delta"')


def decide(shop: Shop, run: str, *, approved: bool = True, reporter: Reporter | None = None) -> RunReport:
    return decide_approval(
        shop.repository(),
        run,
        approved=approved,
        reason="looked at it",
        actor="Rita Reviewer",
        environ=shop.project.environ,
        reporter=reporter or Reporter(),
        cancel=Cancel(),
    )


def answers(shop: Shop, run: str) -> list[tuple[object, str]]:
    """Every answer on record: the outcome, and who gave it."""
    events = read_trace(find_run(shop.repository(), run).path)
    return [
        (event.data["outcome"], event.actor)
        for event in events
        if event.type == LEFT and event.data["state"] == "approve"
    ]


def commits(shop: Shop) -> int:
    return int(shop.project.git("rev-list", "--count", "HEAD"))


def test_the_process_may_end_and_another_one_brings_the_answer(shop: Shop) -> None:
    policy = shop.policy(ASKS)
    assert in_child(lambda: shop.apply(HARMLESS, policy=policy)) == 0
    run = find_run(shop.repository(), "last").run
    assert (commits(shop), answers(shop, run)) == (1, [])
    assert in_child(lambda: decide(shop, run)) == 0
    assert (commits(shop), answers(shop, run)) == (2, [("approved", "user")])


@pytest.mark.kill
def test_of_two_processes_that_answer_at_once_exactly_one_does(shop: Shop) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS)
    children = [start_child(lambda: decide(shop, waiting.run)) for _ in range(4)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(statuses) == [0, 9, 9, 9]  # the others were told that it is in use, or waits for nothing
    assert (commits(shop), answers(shop, waiting.run)) == (2, [("approved", "user")])
    assert verify_run(shop.repository(), find_run(shop.repository(), waiting.run)).ok


@pytest.mark.kill
@pytest.mark.parametrize(("state", "when"), [("approve", "left"), ("land", "entered"), ("land", "left")])
def test_killed_after_the_answer_the_next_resume_lands_it_once(shop: Shop, state: str, when: str) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS)
    status = in_child(lambda: decide(shop, waiting.run, reporter=Dying(state, when=when)))
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert answers(shop, waiting.run) == [("approved", "user")]
    report = shop.resume(waiting.run)
    assert (report.outcome, commits(shop), shop.status()) == (Outcome.COMMITTED, 2, "")
    assert answers(shop, waiting.run) == [("approved", "user")]
    assert shop.resume(waiting.run).commit == report.commit
    with pytest.raises(UsageFault, match="does not wait"):
        decide(shop, waiting.run)
    assert commits(shop) == 2


def test_a_rejection_is_final_and_on_record(shop: Shop) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS)
    before = shop.project.snapshot()
    assert shop.resume(waiting.run).outcome is Outcome.SUSPENDED
    assert decide(shop, waiting.run, approved=False).outcome is Outcome.REJECTED
    with pytest.raises(UsageFault, match="does not wait"):
        decide(shop, waiting.run)
    assert answers(shop, waiting.run) == [("rejected", "user")]
    assert (shop.project.snapshot(), commits(shop)) == (before, 1)


def test_what_was_approved_is_judged_again_where_the_branch_moved(shop: Shop) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS_AND_TESTS)
    assert waiting.outcome is Outcome.SUSPENDED
    shop.project.commit(
        "somebody relies on it",
        {
            "tests/test_notes.py": (
                b"from pathlib import Path\n\n\n"
                b"def test_notes() -> None:\n"
                b'    assert "two" in (Path(__file__).parents[1] / "notes.txt").read_text()\n'
            )
        },
    )
    before = shop.project.snapshot()
    report = decide(shop, waiting.run)
    assert report.outcome is Outcome.REJECTED
    (tests,) = (gate for gate in report.gates if gate["name"] == "tests")
    assert [one["id"] for one in tests["new_failures"]] == ["tests/test_notes.py::test_notes"]
    assert shop.project.snapshot() == before


def test_a_policy_that_another_version_reads_otherwise_is_refused_with_what_differs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS)
    before = shop.project.snapshot()
    key = schema.SCHEMA["limits"]["files"]
    limits = {**schema.SCHEMA["limits"], "files": replace(key, default=7)}
    with monkeypatch.context() as other_version:
        other_version.setattr(schema, "SCHEMA", {**schema.SCHEMA, "limits": limits})
        with pytest.raises(UsageFault, match=r"than when the run began: limits\.files$"):
            decide(shop, waiting.run)
    assert (shop.project.snapshot(), answers(shop, waiting.run)) == (before, [])
    assert decide(shop, waiting.run).outcome is Outcome.COMMITTED


def test_a_program_that_another_version_ships_is_refused_with_what_differs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = shop.apply(HARMLESS, policy=ASKS)
    before = shop.project.snapshot()
    text = builtin.builtin_text("apply")
    newer = text.replace("[states.approve]", "[states.approve]\nvisits = 7", 1).replace(
        'rejected = "rejected"', 'rejected = "failed"'
    )
    assert newer != text
    with monkeypatch.context() as other_version:
        other_version.setattr(builtin, "builtin_text", lambda _name: newer)
        with pytest.raises(
            WrongProgram, match=r"differ in states\.approve\.on\.rejected, states\.approve\.visits"
        ):
            decide(shop, waiting.run)
    assert (shop.project.snapshot(), answers(shop, waiting.run)) == (before, [])
    assert decide(shop, waiting.run).outcome is Outcome.COMMITTED
