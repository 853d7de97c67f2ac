"""Health: what went straight never alarms, what goes round always does, and the alarm names the edges."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.events import new_event
from dev_agent.runtime.health import AlarmKind, RunHealth, counters, edges_of, health_of
from dev_agent.runtime.measures import distance, divergences, entropy, six_of
from dev_agent.runtime.program import load_program
from dev_agent.runtime.states import FactType
from dev_agent.runtime.walk import Walk, walk_of
from tests.runtime.walking import AGENT as AGENT_TEXT
from tests.runtime.walking import (
    JUDGED,
    MOVED,
    REPAIRED,
    STRAIGHT,
    agent,
    at_random,
    healthy,
    random_program,
    shortest,
    walked,
)
from tests.runtime.worlds import Run, action, in_turn, single

AGENT = agent()
SKIPPING = agent(AGENT_TEXT.replace('allowed = "check"', 'allowed = "consent"'))
SEEDS = st.integers(0, 10**6)
CHAOS = (
    "ready needs_context retrieved invalid needs_context retrieved planned invalid invalid proposed unresolved again "
    f"invalid proposed staged repairable again proposed staged {JUDGED} {MOVED} allowed passed otherwise approved "
    f"{MOVED} {JUDGED} landed"
)


def scores(health: RunHealth) -> tuple[float, ...]:
    return health.stretch, health.revisit_rate, health.excess


def kinds(health: RunHealth) -> list[str]:
    return [alarm.kind.value for alarm in health.alarms]


@pytest.mark.law
@given(SEEDS, st.sampled_from(["done", "stopped"]))
def test_a_straight_run_scores_exactly_zero_on_everything_that_alarms(seed: int, final: str) -> None:
    program = random_program(seed)
    health = health_of(walked(program, shortest(program, final)), program=program)
    assert scores(health) == (0, 0, 0)
    assert health.alarms == ()


@pytest.mark.law
@given(SEEDS, st.integers(1, 300))
def test_a_run_that_leaves_no_state_twice_scores_exactly_zero_whatever_the_graph(
    seed: int, most: int
) -> None:
    program = random_program(seed)
    walk = at_random(program, seed, most)
    health = health_of(walk, program=program)
    if walk.revisits() == 0:
        assert scores(health) == (0, 0, 0)
    assert health.direct <= health.transitions
    assert 0 <= health.revisit_rate < 1
    assert health.headroom is not None
    assert health.headroom >= 0


@pytest.mark.law
@given(SEEDS, st.integers(1, 300))
def test_a_run_that_leaves_no_state_more_than_twice_never_alarms(seed: int, most: int) -> None:
    program = random_program(seed)
    walk = at_random(program, seed, most)
    if max(Counter(edge.source for edge in walk.edges).values()) <= 2:
        assert health_of(walk, program=program).alarms == ()


@pytest.mark.law
@given(SEEDS, st.integers(1, 300))
def test_every_alarm_is_beyond_its_limit_and_names_transitions_the_run_took(seed: int, most: int) -> None:
    program = random_program(seed)
    walk = at_random(program, seed, most)
    counts = walk.counts()
    for alarm in health_of(walk, program=program).alarms:
        assert alarm.value > alarm.limit
        assert alarm.causes
        for cause in alarm.causes:
            assert cause.count == counts[cause.edge] > cause.expected


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_a_hundred_healthy_runs_never_alarm(first: int) -> None:
    for seed in range(first, first + 100):
        health = health_of(healthy(AGENT, seed), program=AGENT)
        assert health.alarms == (), (seed, health)


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("straight", STRAIGHT),
        ("repaired once", f"ready planned proposed staged {REPAIRED} {JUDGED} landed"),
        ("rebased once", f"ready planned proposed staged {JUDGED} {MOVED} {JUDGED} landed"),
        ("both", f"ready planned proposed staged {REPAIRED} {JUDGED} {MOVED} {JUDGED} landed"),
        ("suspended and approved", "ready planned proposed staged asked passed otherwise approved landed"),
        ("still waiting", "ready planned proposed staged asked passed otherwise"),
        ("rejected early", "ready planned proposed staged denied"),
        ("refused at once", "refused"),
        (
            "two repairs that came to nothing",
            f"ready planned proposed staged {REPAIRED} allowed failed stuck",
        ),
        ("not begun", ""),
    ],
)
def test_healthy_runs_do_not_alarm(name: str, outcomes: str) -> None:
    assert health_of(walked(AGENT, outcomes), program=AGENT).alarms == (), name


PING = load_program(
    """
name = "ping"
start = "a"
[budgets]
transitions = 1000
exceeded = "stopped"
[states.a]
kind = "action"
on = { over = "b", done = "stopped", error = "stopped" }
[states.b]
kind = "action"
on = { back = "a", error = "stopped" }
[states.stopped]
kind = "final"
""",
    source="ping.toml",
)


def ping_pong(rounds: int) -> Walk:
    return walked(PING, ["over", "back"] * rounds + ["budget_transitions"])


def test_a_livelock_is_a_loop_although_its_entropy_is_one_bit() -> None:
    health = health_of(ping_pong(100), program=PING)
    assert health.six.transition_entropy < 1.1
    assert health.six.beyond() == ["tool_churn"]
    assert kinds(health)[0] == "loop"
    named = [(cause.edge.source, cause.edge.target, cause.count) for cause in health.alarms[0].causes]
    assert named == [("a", "b", 100), ("b", "a", 100)]


@pytest.mark.parametrize("repairs", range(3, 40))
def test_a_run_that_keeps_repairing_is_a_loop_although_its_entropy_falls(repairs: int) -> None:
    outcomes = f"ready planned proposed staged {' '.join([REPAIRED] * repairs)} {JUDGED} landed"
    health = health_of(walked(AGENT, outcomes), program=AGENT)
    if repairs >= 4:
        assert "loop" in kinds(health), health
    if repairs == 30:
        assert health.excess < 0
        (loop,) = health.alarms
        assert {cause.edge.source for cause in loop.causes} == {
            "patch",
            "stage",
            "check_policy",
            "check",
            "repair",
        }
        assert {cause.count - cause.expected for cause in loop.causes} == {30}


def test_a_chaotic_run_is_an_excess_that_names_its_detours() -> None:
    health = health_of(walked(AGENT, CHAOS), program=AGENT)
    assert "excess" in kinds(health), health
    named = {cause.edge.source for alarm in health.alarms for cause in alarm.causes}
    assert named & {"patch", "plan", "rebase", "retrieve"}


def test_the_old_threshold_calls_a_healthy_straight_run_unstable() -> None:
    health = health_of(walked(AGENT, STRAIGHT), program=AGENT)
    assert health.six.transition_entropy == 3.0
    assert health.six.beyond() == ["transition_entropy"]
    assert health.alarms == ()


def test_a_way_the_invariants_forbid_alarms_and_names_where_it_ended() -> None:
    walk = walked(SKIPPING, "ready planned proposed staged allowed free landed")
    (alarm,) = health_of(walk, program=AGENT).alarms
    assert alarm.kind is AlarmKind.INVARIANT
    assert "nothing lands unjudged" in alarm.message
    assert [(cause.edge.source, cause.edge.target) for cause in alarm.causes] == [("consent", "land")]


def test_a_rebase_needs_its_own_judgement() -> None:
    judged = f"ready planned proposed staged {JUDGED} {MOVED}"
    assert health_of(walked(AGENT, f"{judged} {JUDGED} landed"), program=AGENT).alarms == ()
    skipping = agent(AGENT_TEXT.replace('rebased = "check_policy"', 'rebased = "consent"'))
    assert kinds(health_of(walked(skipping, f"{judged} free landed"), program=AGENT)) == ["invariant"]


def test_without_a_program_loops_are_still_found_and_excess_is_not_claimed() -> None:
    assert kinds(health_of(ping_pong(100))) == ["loop"]
    chaotic = health_of(walked(AGENT, CHAOS))
    assert chaotic.headroom is None
    assert "excess" not in kinds(chaotic)


def test_the_six_metrics_follow_their_formulas() -> None:
    walk = walked(AGENT, f"ready planned proposed staged {REPAIRED} {JUDGED} landed")
    walk.retried, walk.failed = [1, 2], [3]
    straight = walked(AGENT, STRAIGHT)
    six = six_of(walk, [straight])
    assert len(walk.edges) == 13
    assert six.rollback_density == 2 / 13
    assert six.tool_churn == 4 / 13
    assert six.invariant_violations == 1 / 13
    # Positions 5 to 12 differ: the first four states and check_policy are as in the straight run.
    assert six.path_variance == 8 / 13
    # check→repair and repair→patch are in one of the runs only, of ten pairs in both.
    assert six.transition_sequence_variance == 2 / 10
    assert six.transition_entropy == entropy(Counter((e.source, e.target) for e in walk.edges).values())


def test_against_several_baseline_runs_the_nearest_counts() -> None:
    straight, repaired = (
        walked(AGENT, STRAIGHT),
        walked(AGENT, f"ready planned proposed staged {REPAIRED} {JUDGED} landed"),
    )
    six = six_of(repaired, [straight, repaired])
    assert (six.path_variance, six.transition_sequence_variance) == (0, 0)
    assert six_of(repaired).path_variance is None
    assert six_of(repaired).transition_sequence_variance is None


@pytest.mark.law
@given(st.lists(st.integers(0, 1000), max_size=12))
def test_entropy_is_shannons(counts: list[int]) -> None:
    total = sum(counts)
    expected = -sum(c / total * math.log2(c / total) for c in counts if c) if total else 0.0
    assert entropy(counts) == pytest.approx(expected, abs=1e-9)
    assert entropy([c * 3 for c in counts]) == pytest.approx(entropy(counts), abs=1e-9)


DISTRIBUTIONS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1)


@pytest.mark.law
@given(DISTRIBUTIONS, DISTRIBUTIONS, st.integers(1, 7))
def test_the_distance_is_symmetric_bounded_and_zero_exactly_for_equal_distributions(
    ours: dict[str, int], theirs: dict[str, int], times: int
) -> None:
    there, back = distance(divergences(ours, theirs)), distance(divergences(theirs, ours))
    assert there == pytest.approx(back)
    assert 0 <= there <= 1
    assert distance(divergences(ours, {key: count * times for key, count in ours.items()})) == 0
    if set(ours).isdisjoint(theirs):
        assert there == pytest.approx(1)


def test_the_walk_of_a_real_run_is_what_the_engine_did(tmp_path: Path) -> None:
    program = single("retry = { attempts = 2, on = ['again'] }")
    run = Run(tmp_path / "r", program, action("work", in_turn("again", "done"), "done", "again"))
    assert run.start().state == "finished"

    walk = walk_of(run.events())

    assert [(e.source, e.outcome, e.target) for e in walk.edges] == [("work", "done", "finished")]
    assert (walk.run, walk.program, walk.finished, walk.end) == ("run-1", program.digest, True, "finished")
    assert (walk.retried, walk.failed) == ([0], [])
    assert counters(walk) == {"transitions": 1, "direct": 1, "revisits": 0, "retried": 1, "errors": 0}


def test_an_exceeded_budget_is_a_transition_and_costs_are_told_by_state(tmp_path: Path) -> None:
    def work(_view: View) -> Result:
        return Result("again", {"n": 1}, cost={"tokens": 7})

    program = single(budgets="transitions = 9")
    run = Run(tmp_path / "r", program, action("work", work, "done", "again", facts={"n": FactType.INT}))
    run.start()

    walk = walk_of(run.events())

    assert walk.edges[-1].outcome == "budget_transitions"
    assert walk.edges[0] in edges_of(program)
    assert walk.edges[-1] not in edges_of(program)
    assert walk.cost["work"] == {"tokens": 63}
    assert "loop" in kinds(health_of(walk, program=program))


def test_equal_outputs_make_equal_snapshots_in_any_run(tmp_path: Path) -> None:
    program = single()
    made = []
    for name in ("a", "b"):
        run = Run(
            tmp_path / name, program, action("work", in_turn("again", "again", "done"), "done", "again")
        )
        run.start()
        made.append(walk_of(run.events()))
    assert made[0].snapshots == made[1].snapshots
    assert made[0].snapshots[0] == made[0].snapshots[1] != made[0].snapshots[2]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"state": 1, "outcome": "x", "next": "y", "data": {}, "ms": 1, "cost": {}},
        {"state": "x", "outcome": "x", "next": "y", "data": {}, "ms": -1, "cost": {}},
        {"state": "x", "outcome": "x", "next": "y", "data": {}, "ms": 1, "cost": {"a": "b"}},
        {"state": "x", "outcome": "x", "next": "y", "data": {}, "ms": 1, "cost": []},
    ],
)
def test_an_event_of_another_form_is_named_not_raised_as_a_bug(data: dict[str, object]) -> None:
    event, _ = new_event(
        run="r",
        seq=3,
        prev="0" * 64,
        type="left",
        at="2026-11-22T10:00:00Z",
        actor="agent",
        data=data,
        blobs=(),
    )
    with pytest.raises(TraceCorrupt) as caught:
        walk_of([event])
    assert caught.value.seq == 3
    assert "left is malformed" in caught.value.reason
