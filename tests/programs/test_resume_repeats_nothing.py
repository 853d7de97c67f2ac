"""A run taken up after a kill goes on where it was: what had been finished, gates above all, is not done again."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest

from dev_agent.cancel import Cancel
from dev_agent.programs.check import CheckRequest, Patch, check
from dev_agent.programs.folders import all_runs
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.resume import resume
from dev_agent.runtime.engine import Reporter
from tests.programs.conftest import HARMLESS, TESTS_ONLY, Shop
from tests.programs.test_interrupted import Dying
from tests.programs.test_run import ran, shell
from tests.testing.children import in_child
from tests.testing.machine import lacks_namespaces

Start = Callable[[Shop, Reporter], RunReport]


class Seen(Reporter):
    """The states and branches entered, in order."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.branches: list[str] = []

    def entered(self, state: str, attempt: int) -> None:
        self.states.append(state)

    def branch_started(self, state: str, action: str) -> None:
        self.branches.append(action)


def _apply(shop: Shop, reporter: Reporter) -> RunReport:
    return shop.apply(HARMLESS, policy=TESTS_ONLY, reporter=reporter)


def _run(shop: Shop, reporter: Reporter) -> RunReport:
    return ran(shop, *shell("echo x > new"), policy=TESTS_ONLY, reporter=reporter)


def _check(shop: Shop, reporter: Reporter) -> RunReport:
    request = CheckRequest(checked=Patch(content=HARMLESS), policy=shop.policy(TESTS_ONLY))
    return check(shop.repository(), request, environ=shop.project.environ, reporter=reporter, cancel=Cancel())


def _undo(shop: Shop, reporter: Reporter) -> RunReport:
    first = all_runs(shop.repository())[-1]
    return shop.undo(first.run, policy=TESTS_ONLY, reporter=reporter)


PROGRAMS: dict[str, Start] = {"apply": _apply, "run": _run, "check": _check, "undo": _undo}


@pytest.mark.kill
@pytest.mark.parametrize("program", PROGRAMS)
def test_killed_after_a_state_it_is_not_entered_again_nor_any_before_it(shop: Shop, program: str) -> None:
    """Killed as the first state, the gates, and the last one before the landing are left, in turn."""
    if program == "run" and lacks_namespaces():
        pytest.skip(lacks_namespaces())
    start = PROGRAMS[program]
    if program == "undo":
        assert shop.apply(HARMLESS, policy=TESTS_ONLY).outcome is Outcome.COMMITTED
        # A tree of its own, so that the gates have something to judge.
        shop.project.commit("meanwhile", {"other.txt": b"o\n"})
    head = shop.head()
    whole = Seen()
    whole_report = start(shop, whole)
    assert whole_report.exit_code == 0, whole_report
    path = [state for state in whole.states if state not in {"land", "committed", "verified"}]
    # What follows a kill in `land` is recovery's, and tried elsewhere.
    for state in dict.fromkeys((path[0], "check", path[-1])):
        position = path.index(state)
        shop.project.git("reset", "--quiet", "--hard", head)
        known = {folder.run for folder in all_runs(shop.repository())}
        assert os.WIFSIGNALED(in_child(partial(start, shop, Dying(state, when="left"))))
        (folder,) = [one for one in all_runs(shop.repository()) if one.run not in known]
        seen = Seen()
        report = resume(
            shop.repository(), folder.run, environ=shop.project.environ, reporter=seen, cancel=Cancel()
        )
        assert report.outcome is whole_report.outcome, report
        assert seen.states == whole.states[position + 1 :], state
        if position >= path.index("check"):
            assert seen.branches == []
