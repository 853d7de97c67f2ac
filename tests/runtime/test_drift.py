"""Health over many runs: what is healthy stays quiet, a drift is seen and its edges are named."""

from __future__ import annotations

import pytest

from dev_agent.runtime.drift import MOST_DISTANCE, Fleet, fleet_of
from dev_agent.runtime.walk import Walk
from tests.runtime.walking import JUDGED, MOVED, REPAIRED, STRAIGHT, agent, healthy, walked

AGENT = agent()
REPAIRING = f"ready planned proposed staged {REPAIRED} {REPAIRED} {JUDGED} {MOVED} {JUDGED} landed"


def healthy_runs(first: int, count: int = 100) -> list[Walk]:
    return [healthy(AGENT, seed) for seed in range(first, first + count)]


def kinds(fleet: Fleet) -> list[str]:
    return [alarm.kind.value for alarm in fleet.alarms]


@pytest.mark.parametrize("first", range(0, 2000, 200))
def test_a_hundred_healthy_runs_against_a_hundred_others_do_not_alarm(first: int) -> None:
    fleet = fleet_of(healthy_runs(first), program=AGENT, baseline=healthy_runs(first + 100))
    assert fleet.alarms == ()
    assert fleet.distance is not None
    assert fleet.distance < MOST_DISTANCE / 2


def test_straight_runs_score_exactly_zero() -> None:
    straight = [walked(AGENT, STRAIGHT) for _ in range(20)]
    fleet = fleet_of(straight, program=AGENT, baseline=straight[:11])
    assert fleet.distance == 0
    assert {one.share for one in fleet.branching} == {0}
    assert fleet.alarms == ()


def test_runs_that_began_to_repair_and_to_rebase_are_a_drift_that_names_those_edges() -> None:
    fleet = fleet_of(
        [walked(AGENT, REPAIRING) for _ in range(20)],
        program=AGENT,
        baseline=[walked(AGENT, STRAIGHT) for _ in range(20)],
    )
    assert kinds(fleet) == ["drift"]
    named = {
        (cause.edge.source, cause.edge.outcome): (cause.count, cause.expected)
        for cause in fleet.alarms[0].causes
    }
    assert named[("repair", "again")] == (40, 0)
    assert named[("check", "failed")] == (40, 0)


@pytest.mark.parametrize(("runs", "baseline"), [(9, 20), (20, 9)])
def test_few_runs_are_no_drift(runs: int, baseline: int) -> None:
    fleet = fleet_of(
        [walked(AGENT, REPAIRING)] * runs, program=AGENT, baseline=[walked(AGENT, STRAIGHT)] * baseline
    )
    assert fleet.distance is not None
    assert fleet.distance > MOST_DISTANCE
    assert fleet.alarms == ()


def coin(turns: int) -> list[Walk]:
    """Runs whose judgement falls like a die with three sides."""
    ends = [f"ready planned proposed staged {JUDGED} landed", "ready planned proposed staged allowed error"]
    ends.append("ready planned proposed staged allowed failed stuck")
    return [walked(AGENT, ends[turn % 3]) for turn in range(turns)]


def test_a_state_that_leaves_evenly_decides_nothing_and_is_named_with_its_edges() -> None:
    fleet = fleet_of(coin(30), program=AGENT)
    (alarm,) = fleet.alarms
    assert alarm.kind == "branching"
    assert alarm.value == pytest.approx(1)
    assert [(cause.edge.source, cause.count) for cause in alarm.causes] == [("check", 10)] * 3


def test_few_departures_decide_nothing_either_and_say_nothing() -> None:
    assert fleet_of(coin(18), program=AGENT).alarms == ()
    assert fleet_of(coin(30), program=None).alarms == ()


def test_a_person_who_turns_half_down_is_no_alarm() -> None:
    asked = "ready planned proposed staged asked passed otherwise"
    runs = [walked(AGENT, f"{asked} {end}") for end in ("approved landed", "rejected")] * 20
    fleet = fleet_of(runs, program=AGENT)
    assert {one.state: one.share for one in fleet.branching}["approve"] == 1
    assert fleet.alarms == ()


def test_budgets_are_no_answer_of_a_state() -> None:
    runs = [walked(AGENT, "ready planned budget_transitions")] * 10 + [walked(AGENT, STRAIGHT)] * 10
    by_state = {one.state: one for one in fleet_of(runs, program=AGENT).branching}
    assert by_state["patch"].share == 0
    assert by_state["patch"].degree == 4
