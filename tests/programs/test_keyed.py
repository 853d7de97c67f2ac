"""One key, one run of `apply` or `run`: concurrently, after a crash, after a failure."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.programs.apply import apply
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.proposers import Command
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.resume import resume
from dev_agent.programs.run import run
from dev_agent.programs.runs import read_run
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.trace import Journal
from tests.programs.conftest import BREAKS_A_TEST, HARMLESS, NO_GATES, TESTS_ONLY, Shop, Watching
from tests.testing.children import in_child


def test_callers_at_once_get_one_commit_and_one_answer(shop: Shop) -> None:
    policy = shop.policy(NO_GATES)
    request = ApplyRequest(task="Once", patch=HARMLESS, policy=policy, key="issue-7")
    reports: list[RunReport] = []

    def call() -> None:
        reports.append(
            apply(
                shop.repository(), request, environ=shop.project.environ, reporter=Reporter(), cancel=Cancel()
            )
        )

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert {report.commit for report in reports} == {shop.head()}
    assert [report.outcome for report in reports] == [Outcome.COMMITTED] * 4
    assert len(all_runs(shop.repository())) == 1
    assert shop.project.git("rev-list", "--count", "HEAD") == "2"


def test_asked_again_after_the_branch_went_on_it_is_still_that_run(shop: Shop) -> None:
    first = _apply(shop, HARMLESS)
    shop.project.git("commit", "-q", "--allow-empty", "-m", "Later")
    head = shop.head()
    again = _apply(shop, HARMLESS)
    assert (again.run, again.commit, shop.head()) == (first.run, first.commit, head)


def _apply(shop: Shop, patch: bytes, *, task: str = "Once", policy: str = NO_GATES) -> RunReport:
    place = shop.policies / "keyed.toml"
    place.write_text(policy)
    request = ApplyRequest(task=task, patch=patch, policy=str(place), key="k")
    return apply(
        shop.repository(), request, environ=shop.project.environ, reporter=Reporter(), cancel=Cancel()
    )


def test_another_request_under_the_key_is_refused_and_nothing_is_made(shop: Shop) -> None:
    first = _apply(shop, HARMLESS)
    head = shop.head()
    with pytest.raises(UsageFault, match=f"stands for another request \\(run {first.run}\\)"):
        _apply(shop, HARMLESS, task="Something else")
    assert (shop.head(), len(all_runs(shop.repository()))) == (head, 1)


def test_a_run_killed_under_a_key_is_ended_by_the_next_caller(shop: Shop) -> None:
    place = shop.policies / "keyed.toml"
    place.write_text(NO_GATES)
    request = ApplyRequest(task="Once", patch=HARMLESS, policy=str(place), key="k")

    def killed() -> None:
        dies = Watching("land", lambda: os.kill(os.getpid(), signal.SIGKILL))
        apply(shop.repository(), request, environ=shop.project.environ, reporter=dies, cancel=Cancel())

    assert in_child(killed) != 0
    ended = _apply(shop, HARMLESS)
    assert (ended.outcome, len(all_runs(shop.repository()))) == (Outcome.COMMITTED, 1)
    assert shop.project.git("rev-list", "--count", "HEAD") == "2"


def test_killed_before_the_request_is_on_record_the_next_caller_runs_it(shop: Shop) -> None:
    """Such a run cannot be taken up: the key would stand for it, and be refused, for ever."""
    place = shop.policies / "keyed.toml"
    place.write_text(NO_GATES)
    request = ApplyRequest(task="Once", patch=HARMLESS, policy=str(place), key="k")

    def killed() -> None:
        setattr(Journal, "append", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010
        apply(shop.repository(), request, environ=shop.project.environ, reporter=Reporter(), cancel=Cancel())

    assert in_child(killed) == signal.SIGKILL
    cut_off = find_run(shop.repository(), "last")
    told = read_run(cut_off)
    assert (told.report.task, told.report.outcome) == ("(not recorded)", Outcome.INTERRUPTED)
    assert "has done nothing" in told.report.explanation
    assert f"dev-agent prune {cut_off.run}" in told.report.advice
    with pytest.raises(UsageFault, match="cut off before what was asked") as refused:
        resume(
            shop.repository(),
            cut_off.run,
            environ=shop.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )
    assert "give its command again" in refused.value.hint

    ended = _apply(shop, HARMLESS)
    assert (ended.outcome, ended.run != cut_off.run) == (Outcome.COMMITTED, True)
    assert _apply(shop, HARMLESS).run == ended.run
    assert shop.project.git("rev-list", "--count", "HEAD") == "2"


def test_a_rejection_is_not_remembered_as_the_answer(shop: Shop) -> None:
    first = _apply(shop, BREAKS_A_TEST, policy=TESTS_ONLY)
    again = _apply(shop, BREAKS_A_TEST, policy=TESTS_ONLY)
    assert (first.outcome, again.outcome) == (Outcome.REJECTED, Outcome.REJECTED)
    assert first.run != again.run


def test_a_command_under_a_key_runs_once(shop: Shop) -> None:
    def call(*argv: str) -> RunReport:
        place = shop.policies / "keyed.toml"
        place.write_text(NO_GATES)
        return run(
            shop.repository(),
            ApplyRequest(task="Stamp", patch=b"", policy=str(place), key="k"),
            command=Command(argv=argv),
            environ=shop.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )

    stamp = ("sh", "-c", "date +%s%N > notes.txt")
    assert call(*stamp).commit == call(*stamp).commit == shop.head()
    with pytest.raises(UsageFault, match="stands for another request"):
        call("true")
