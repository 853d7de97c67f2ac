"""The simulation of a fleet: nothing is lost or doubled, chance is the seed's, and formulas come out."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from benchmarks import fleet_sim
from benchmarks.fleet.clock import Clock, Station
from benchmarks.fleet.costs import FREE, SOURCES, Baselines, Costs
from benchmarks.fleet.day import HOURS, Head, Kind, Shares, day
from benchmarks.fleet.line import POLICIES, Intake, Policy
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.simulation import Setting, simulate

SERIAL, BATCHING, SPECULATIVE, BOTH = POLICIES
ALL_GOOD = Shares(bad=0, flaky=0, apart=0, against=0, environment=0)
AWFUL = Shares(bad=0.15, flaky=0.15, apart=0.10, against=0.05, environment=0.05)


def burst(count: int, *, shares: Shares = ALL_GOOD) -> tuple[Head, ...]:
    """Heads that are all there from the beginning."""
    return tuple(replace(head, at=0.0) for head in day(count, seed=1, shares=shares))


@pytest.mark.parametrize("intake", Intake)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one.name)
def test_every_head_of_an_awful_day_is_decided_once_and_no_good_one_is_put_out(
    policy: Policy, intake: Intake
) -> None:
    heads = day(150, seed=3, shares=AWFUL)
    costs = replace(Costs(), worker_mtbf=600.0)
    end = simulate(heads, policy, 6, Setting(costs=costs, intake=intake, seed=3))
    assert end.landed + end.out == 150
    assert end.good_out == 0
    assert end.out >= sum(head.kind is Kind.BAD for head in heads)
    assert end.losses > 0


@pytest.mark.parametrize("policy", [SERIAL, SPECULATIVE], ids=lambda one: one.name)
def test_workers_that_are_always_lost_stop_the_queue_and_put_nobody_out(policy: Policy) -> None:
    costs = replace(Costs(), worker_mtbf=120.0, worker_back=5.0)
    end = simulate(day(12, seed=1, shares=ALL_GOOD), policy, 3, Setting(costs=costs))
    assert end.halts > 0
    assert (end.landed, end.out) == (12, 0)


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    first, again, other = (
        simulate(day(120, seed=seed, shares=AWFUL), BOTH, 5, Setting(seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_two_policies_meet_the_same_bad_heads() -> None:
    heads = day(200, seed=1, shares=Shares(bad=0.1, flaky=0, apart=0, against=0))
    bad = sum(head.kind is Kind.BAD for head in heads)
    assert bad > 0
    assert [simulate(heads, policy, 4, Setting()).out for policy in POLICIES] == [bad] * 4


def test_a_queue_of_one_server_waits_as_long_as_the_formula_says() -> None:
    """M/M/1: heads come as they like, one in two seconds; judging takes as long as it likes, a second on average."""
    count, rate = 4_000, 0.5
    heads = day(count, seed=1, shares=ALL_GOOD, hours=(1,))
    heads = tuple(replace(head, at=head.at * count / rate / 3600) for head in heads)
    exponential = replace(FREE, exponential=True)
    setting = Setting(costs=exponential, baselines=Baselines.WAITED, intake=Intake.STREAM)
    end = simulate(heads, SERIAL, 1, setting)
    expected = 1 / (1 - rate)
    assert end.mean * 60 == pytest.approx(expected, rel=0.1)
    assert end.busy == pytest.approx(rate, rel=0.03)


def test_a_line_of_good_heads_takes_as_many_rounds_as_it_has_slots_full() -> None:
    setting = Setting(costs=FREE, baselines=Baselines.WAITED)
    seconds = {
        (policy.name, workers): round(simulate(burst(64), policy, workers, setting).hours * 3600)
        for policy, workers in ((SERIAL, 8), (BATCHING, 8), (SPECULATIVE, 8), (SPECULATIVE, 64), (BOTH, 8))
    }
    assert seconds == {
        ("serial", 8): 64,
        ("batching", 8): 8,
        ("speculative", 8): 8,
        ("speculative", 64): 1,
        ("both", 8): 1,
    }


def test_more_workers_never_do_less() -> None:
    heads = burst(150, shares=Shares())
    hours = [simulate(heads, SPECULATIVE, workers, Setting()).hours for workers in (1, 2, 4, 8, 16, 32)]
    assert all(more <= fewer * 1.03 for fewer, more in pairwise(hours)), hours
    assert hours[-1] * 4 < hours[0]


def test_knowing_the_parents_run_saves_half_of_a_speculative_lines_work() -> None:
    heads = burst(100)
    known = {one: simulate(heads, SPECULATIVE, 10, Setting(baselines=one)) for one in Baselines}
    assert known[Baselines.WAITED].extra_runs == 0
    assert known[Baselines.WORKER].extra_runs >= 150
    assert known[Baselines.WAITED].hours * 1.7 < known[Baselines.WORKER].hours
    assert known[Baselines.WAITED].hours <= known[Baselines.SHARED].hours <= known[Baselines.WORKER].hours


def test_what_was_judged_before_asks_no_worker_again() -> None:
    """A flaky head is stepped over, comes back green, and those behind it stand where they stood."""
    heads = burst(40, shares=replace(ALL_GOOD, flaky=0.3))
    end = simulate(heads, SPECULATIVE, 40, Setting(flake=0.5))
    assert end.remembered > 0


def test_a_lost_worker_costs_time_and_no_verdict() -> None:
    heads = burst(60)
    calm, lossy = (
        simulate(heads, SPECULATIVE, 6, Setting(costs=replace(Costs(), worker_mtbf=mtbf)))
        for mtbf in (0.0, 1500.0)
    )
    assert (calm.losses, calm.landed) == (0, 60)
    assert lossy.losses > 0
    assert (lossy.landed, lossy.judgements) == (60, calm.judgements)
    assert lossy.hours > calm.hours


def test_a_busy_driving_process_holds_every_worker_up() -> None:
    slow = Setting(costs=replace(FREE, compose=2.0), baselines=Baselines.WAITED)
    end = simulate(burst(50), SPECULATIVE, 50, slow)
    assert end.hours * 3600 == pytest.approx(50 * 2.0 + 1.0, abs=0.01)
    assert end.driver == pytest.approx(100 / 101, abs=0.01)


def test_a_day_is_in_order_and_most_of_it_comes_while_people_work() -> None:
    heads = day(2_000, seed=5, shares=Shares())
    assert [head.number for head in heads] == list(range(2_000))
    assert all(one.at <= other.at for one, other in pairwise(heads))
    at_work = sum(8 * 3600 <= head.at < 18 * 3600 for head in heads) / 2_000
    assert at_work == pytest.approx(sum(HOURS[8:18]) / sum(HOURS), abs=0.03)


def test_a_station_serves_first_come_first_served_and_as_many_as_it_can() -> None:
    clock, ended = Clock(), []
    station = Station(clock, capacity=2)
    for name, seconds in (("a", 3.0), ("b", 1.0), ("c", 1.0)):
        station.serve(seconds, lambda name=name: ended.append((name, clock.now)))  # type: ignore[misc]
    clock.run()
    assert ended == [("b", 1.0), ("c", 2.0), ("a", 3.0)]
    assert station.busy == 5.0
    with pytest.raises(ValueError, match="does not go back"):
        clock.after(-1, lambda: None)


def test_every_cost_says_where_it_is_from() -> None:
    assert set(SOURCES) == {one.name for one in fields(Costs)}
    assert all(text.split(":")[0].split()[0] for text in SOURCES.values())


def test_the_command_prints_a_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--heads-per-day", "40", "--workers", "2,4", "--policy", "speculative"]
    assert fleet_sim.main(asked) == 0
    assert "good out" in capsys.readouterr().out
    assert fleet_sim.main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["workers"] for one in told["outcomes"]] == [2, 4]
    assert set(told["outcomes"][0]) == {one.name for one in fields(Outcome)}
    assert fleet_sim.main(["--list-costs"]) == 0
    assert "assumption" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--policy", "lucky"], ["--workers", "0"], ["--bad", "2"], ["--tests", "0"], ["--intake", "x"]]
)
def test_what_cannot_be_simulated_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fleet_sim.main(wrong)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err
