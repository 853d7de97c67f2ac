"""What children say, and what they do not say: nothing but a good end is taken for one."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dev_agent.forges.campaigning.answers import worked
from dev_agent.programs.campaigning.driver import Worked
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.cost import FREE
from dev_agent.surfaces.command import Answer
from tests.testing.repos import Project, make_repository


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_repository(tmp_path_factory.mktemp("answers"), {"a": b""})


def told(
    project: Project, code: int, data: Mapping[str, Any], *, cancelled: bool = False, late: bool = False
) -> Worked:
    answer = Answer(code=code, data=data, cancelled=cancelled)
    return worked(answer, project.repository(), place=Path("/p"), branch="b", late=late)


@pytest.mark.parametrize(
    ("code", "outcome", "fate"),
    [
        (0, "committed", Fate.LANDED),
        (0, "verified", Fate.VERIFIED),
        (0, "no_change", Fate.NO_CHANGE),
        (1, "rejected", Fate.REJECTED),
        (3, "rejected", Fate.TROUBLE),
        (4, "rejected", Fate.OUT_OF_BUDGET),
        (5, "suspended", Fate.WAITING),
        (6, "kept", Fate.KEPT),
        (3, "failed", Fate.TROUBLE),
        (3, "running", Fate.TROUBLE),
        (0, "splendid", Fate.TROUBLE),
    ],
)
def test_every_end_of_a_run_has_its_fate(project: Project, code: int, outcome: str, fate: Fate) -> None:
    said = told(project, code, {"outcome": outcome, "run": "20261122-x", "reason": "why", "commit": 7})
    assert (said.fate, said.stopped, said.commit) == (fate, False, "")
    # The run cannot be read here, so nobody knows what it cost.
    assert said.cost is None


def test_a_child_that_was_killed_and_one_that_says_nothing_are_troubles_of_unknown_cost(
    project: Project,
) -> None:
    killed = told(project, -signal.SIGKILL, {})
    silent = told(project, 1, {})
    assert (killed.fate, silent.fate, killed.cost, silent.cost) == (Fate.TROUBLE, Fate.TROUBLE, None, None)
    assert "killed by SIGKILL" in killed.why


def test_what_was_refused_before_a_run_began_cost_nothing_and_says_what_to_do(project: Project) -> None:
    error = {"kind": "usage", "exit_code": 2, "message": "no\x1b such\nthing", "hint": "mend it"}
    said = told(project, 2, {"error": error})
    assert (said.fate, said.cost, said.why) == (Fate.TROUBLE, FREE, "no\x1b such; thing (mend it)")
    assert told(project, 70, {"error": {**error, "exit_code": 70}}).cost is None


def test_a_child_we_stopped_is_begun_again_and_one_that_others_stopped_is_a_trouble(project: Project) -> None:
    interrupted = {"outcome": "interrupted", "run": "r"}
    assert told(project, 130, interrupted, cancelled=True).stopped
    assert told(project, -signal.SIGKILL, {}, cancelled=True).stopped
    others = told(project, 130, interrupted)
    assert (others.fate, others.stopped) == (Fate.TROUBLE, False)


def test_a_child_that_ended_well_just_before_it_was_stopped_ended_well(project: Project) -> None:
    done = {"outcome": "committed", "run": "r", "commit": "c"}
    assert told(project, 0, done, cancelled=True).fate is Fate.LANDED
    assert told(project, 0, done, cancelled=True, late=True).fate is Fate.LANDED


@pytest.mark.parametrize("data", [{"outcome": "interrupted", "run": "r"}, {}])
def test_a_child_that_the_campaign_s_time_ended_is_out_of_budget(
    project: Project, data: dict[str, Any]
) -> None:
    said = told(project, 130, data, cancelled=True, late=True)
    assert (said.fate, said.stopped) == (Fate.OUT_OF_BUDGET, False)
