"""What goes wrong inside an action: a refusal of the world is a report, a bug of ours is a bug."""

from __future__ import annotations

import sys

import pytest

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.actions import registry
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.context import ApplyContext
from dev_agent.programs.folders import all_runs
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.runtime.actions import Result, View
from tests.programs.conftest import HARMLESS, Shop


def _raising(name: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    real = registry.ACTIONS[name]

    def run(_context: ApplyContext, _view: View) -> Result:
        raise error

    raising = Declared(name=name, outcomes=real.outcomes, facts=real.facts, run=run)
    monkeypatch.setattr(sys.modules[real.run.__module__], name.upper(), raising)


def test_a_full_disk_is_an_environment_failure_with_its_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising("stage", OSError(28, "No space left on device"), monkeypatch)
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 3)
    assert "No space left on device" in report.explanation
    assert shop.project.snapshot() == before


def test_a_gate_the_machine_refuses_is_not_a_verdict_on_the_change(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising("tests", EnvironmentFault("the sandbox went away"), monkeypatch)
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "tests_error")
    assert report.exit_code == 3
    assert "the sandbox went away" in report.explanation


@pytest.mark.parametrize("name", ["stage", "tests", "land"])
def test_a_bug_of_ours_is_raised_as_one_and_nothing_lands(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _raising(name, ZeroDivisionError("oops"), monkeypatch)
    before = shop.project.snapshot()
    with pytest.raises(ZeroDivisionError, match="oops"):
        shop.apply(HARMLESS)
    assert shop.project.snapshot() == before
    (folder,) = all_runs(shop.repository())
    assert read_run(folder).report.outcome in {Outcome.FAILED, Outcome.REJECTED}
    assert folder.receipt.exists()
