"""The queue against a world in which everything is known: hundreds of heads, failures, flakes, conflicts, kills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.queueing.events import Blocked, Judged, Opened, from_json, to_json
from dev_agent.programs.queueing.model import Fate, Phase, QueueState, Verdict
from dev_agent.programs.queueing.ordering import in_order
from dev_agent.programs.queueing.step import fold, step
from dev_agent.programs.queueing.taking import take
from tests.programs.queueing.world import Truth, World, seeded


def truth_of(
    seed: int, heads: int, *, bad: float = 0.06, flaky: float = 0.08, quarrels: bool = True
) -> Truth:
    chance = seeded(seed)

    def some(share: float) -> frozenset[int]:
        return frozenset(number for number in range(heads) if chance.random() < share)

    def pairs(count: int) -> frozenset[tuple[int, int]]:
        drawn = (sorted(chance.sample(range(heads), 2)) for _ in range(count if quarrels else 0))
        return frozenset((first, second) for first, second in drawn)

    return Truth(
        heads=heads,
        bad=some(bad),
        flaky=some(flaky),
        against=pairs(heads // 25),
        apart=pairs(heads // 25),
    )


def check_end(world: World, state: QueueState) -> None:
    """Every head has one fate, the target holds exactly what landed, and no history was rewritten."""
    assert state.finished
    assert not state.halted
    fates = world.fates(state)
    assert set(fates) == set(range(world.truth.heads))
    landed = {number for number, fate in fates.items() if fate is Fate.LANDED}
    assert world.content[world.tip] == landed
    assert not world.truth.red(frozenset(landed))
    assert not landed & world.truth.bad
    undisputed = set(range(world.truth.heads)) - world.truth.bad - world.gone
    undisputed -= {n for pair in world.truth.against | world.truth.apart for n in pair}
    assert landed >= undisputed, "a good head did not land"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("jobs", "max_batch"), [(1, 1), (2, 4), (4, 8), (6, 1)])
def test_hundreds_of_heads_land_or_are_put_out_rightly(seed: int, jobs: int, max_batch: int) -> None:
    world = World(truth=truth_of(seed, 200), seed=seed)
    state = world.run(world.open(jobs=jobs, max_batch=max_batch))
    check_end(world, state)


@pytest.mark.parametrize("seed", range(6))
def test_a_target_that_others_move_is_followed_and_a_replaced_head_does_not_land(seed: int) -> None:
    chance = seeded(seed)
    moves = frozenset(chance.sample(range(1, 60), 12))
    replaced = {chance.randrange(1, 40): chance.randrange(80) for _ in range(6)}
    world = World(truth=truth_of(seed, 80), seed=seed, moves=moves, replaced=replaced)
    state = world.run(world.open(jobs=3, max_batch=4))
    check_end(world, state)
    assert len([commit for commit in world.history if commit.endswith("!")]) > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_queue_killed_again_and_again_comes_to_the_same_end(seed: int) -> None:
    truth = truth_of(seed, 60, quarrels=False)
    whole = World(truth=truth, seed=seed)
    expected = whole.fates(whole.run(whole.open(jobs=3, max_batch=4)))
    killed = World(truth=truth, seed=seed)
    state = killed.open(jobs=3, max_batch=4)
    chance, untold = seeded(seed), 0
    while not state.finished:
        killed.run(state, most=chance.randrange(1, 12))
        untold += killed.die_while_landing()
        state = killed.restart()
    check_end(killed, state)
    assert killed.fates(state) == expected
    assert untold > 0


def test_folded_from_any_beginning_of_its_trace_a_queue_goes_on_to_the_same_end() -> None:
    truth = truth_of(3, 24, quarrels=False)
    whole = World(truth=truth, seed=3)
    expected = whole.fates(whole.run(whole.open(jobs=3, max_batch=4)))
    length = len(whole.events)
    for told in range(1, length):
        world = World(truth=truth, seed=3)
        world.run(world.open(jobs=3, max_batch=4), most=told - 1)
        assert world.events == whole.events[: len(world.events)]
        state = world.run(world.restart())
        check_end(world, state)
        assert world.fates(state) == expected, told


def test_the_state_is_what_its_events_say_and_an_event_is_what_its_record_says() -> None:
    world = World(truth=truth_of(5, 60), seed=5, moves=frozenset({4, 9}))
    state = world.run(world.open(jobs=3, max_batch=4))
    assert fold(world.events) == state
    assert [from_json(to_json(event)) for event in world.events] == world.events


@pytest.mark.parametrize("name", ["event", "reason", "attempt"])
def test_an_event_that_lacks_a_field_is_refused_though_it_could_have_a_default(name: str) -> None:
    recorded = to_json(Judged(attempt=1, commit="a" * 40, parent="b" * 40, verdict=Verdict.RED))
    del recorded[name]
    with pytest.raises(EnvironmentFault):
        from_json(recorded)


@pytest.mark.parametrize(("seed", "jobs", "max_batch"), [(0, 3, 4), (1, 16, 1)])
def test_what_was_in_order_before_makes_the_next_order_quicker_and_no_other(
    seed: int, jobs: int, max_batch: int
) -> None:
    """Every event of a line full of reds, moves and deaths, against putting the whole line in order anew."""
    replaced = {5: 20, 11: 2, 17: 28}
    world = World(truth=truth_of(seed, 30), seed=seed, moves=frozenset({3, 9, 30}), replaced=replaced)
    state = world.open(jobs=jobs, max_batch=max_batch)
    while not state.finished:
        world.run(state, most=60)
        state = world.restart()
    before: QueueState | None = None
    for event in world.events:
        if before is None:
            before = fold([event])
            continue
        after, _ = step(before, event)
        assert after == in_order(take(before, event))
        # Not an event of its own: a target that is elsewhere while nothing in the line is another value than before.
        elsewhere = replace(after, tip="elsewhere")
        assert in_order(elsewhere, known=after) == in_order(elsewhere)
        before = after


@pytest.mark.parametrize(("bad", "flaky", "times"), [(0.0, 0.0, 20.0), (0.02, 0.02, 4.0), (0.06, 0.08, 2.0)])
def test_slots_and_batches_beat_a_serial_queue_several_times(bad: float, flaky: float, times: float) -> None:
    """Counted in rounds: all that is judged at the same time is one."""
    truth = truth_of(1, 200, bad=bad, flaky=flaky, quarrels=False)
    serial = World(truth=truth, seed=1)
    serial.run(serial.open(jobs=1, max_batch=1), all_at_once=True)
    queue = World(truth=truth, seed=1)
    check_end(queue, queue.run(queue.open(jobs=4, max_batch=8), all_at_once=True))
    assert queue.ticks * times < serial.ticks, (queue.ticks, serial.ticks)
    assert queue.judgements < serial.judgements * 1.5


def test_a_good_line_needs_one_round_for_all_its_slots() -> None:
    world = World(truth=Truth(heads=32), seed=0)
    world.run(world.open(jobs=4, max_batch=8), all_at_once=True)
    assert (world.ticks, world.judgements) == (1, 4)


def test_a_head_that_is_red_behind_a_red_one_is_not_put_out_for_it() -> None:
    world = World(truth=Truth(heads=3, bad=frozenset({0})), seed=0)
    state = world.run(world.open(jobs=3, max_batch=1), all_at_once=True)
    assert world.fates(state) == {0: Fate.EJECTED, 1: Fate.LANDED, 2: Fate.LANDED}


def test_a_head_the_target_holds_already_is_neither_judged_nor_landed() -> None:
    world = World(truth=Truth(heads=2, same={1: 0}), seed=0)
    state = world.run(world.open(jobs=1, max_batch=1))
    assert world.fates(state) == {0: Fate.LANDED, 1: Fate.CONTAINED}
    assert world.judgements == 1


def test_of_two_heads_that_do_not_merge_the_first_lands() -> None:
    world = World(truth=Truth(heads=3, apart=frozenset({(0, 1)})), seed=0)
    state = world.run(world.open(jobs=2, max_batch=3))
    assert world.fates(state) == {0: Fate.LANDED, 1: Fate.EJECTED, 2: Fate.LANDED}
    ejected = next(one for one in state.decided if one.fate is Fate.EJECTED)
    assert ejected.reason == "conflict"


def unknown(world: World, state: QueueState) -> QueueState:
    attempt = min(world.running)
    asked = world.running.pop(attempt)
    event = Judged(
        attempt=attempt,
        commit=asked.commit,
        parent=asked.parent,
        verdict=Verdict.UNKNOWN,
        reason="the disk is full",
    )
    return world._tell(state, event)


def test_trouble_of_the_machine_stops_the_queue_and_puts_nobody_out() -> None:
    world = World(truth=Truth(heads=2), seed=0)
    state = world.open(jobs=1, max_batch=2)
    state = world._do(state, world.todo.pop(0))
    state = unknown(world, unknown(world, state))
    assert (state.halted, state.decided, world.running) == ("the disk is full", (), {})
    again = world.run(world.restart())
    assert set(world.fates(again).values()) == {Fate.LANDED}


def test_trouble_behind_the_front_stops_nothing_until_it_is_at_the_front() -> None:
    world = World(truth=Truth(heads=2), seed=0)
    state = world.open(jobs=2, max_batch=1)
    while world.todo:
        state = world._do(state, world.todo.pop(0))
    first = world.running.pop(1)
    state = unknown(world, unknown(world, state))
    assert (state.halted, [one.phase for one in state.line]) == ("", [Phase.JUDGING, Phase.STUCK])
    state = world._do(world._answer(state, first), world.todo.pop(0))
    assert (state.halted, world.fates(state)) == ("the disk is full", {0: Fate.LANDED})
    assert set(world.fates(world.run(world.restart())).values()) == {Fate.LANDED}


def test_a_landing_that_is_refused_stops_the_queue_and_loses_nothing() -> None:
    world = World(truth=Truth(heads=1), seed=0)
    state = world.open(jobs=1, max_batch=1)
    state = world._do(state, world.todo.pop(0))
    state = world._answer(state, world.running.pop(1))
    assert state.line[0].phase is Phase.LANDING
    state, commands = step(state, Blocked(reason="files are in the way"))
    assert (state.halted, commands) == ("files are in the way", ())
    assert state.line[0].phase is Phase.GREEN


def test_an_answer_that_comes_late_changes_nothing() -> None:
    world = World(truth=Truth(heads=1), seed=0)
    state = world.open(jobs=1, max_batch=1)
    state = world._do(state, world.todo.pop(0))
    asked = world.running[1]
    late = Judged(attempt=7, commit=asked.commit, parent=asked.parent, verdict=Verdict.GREEN)
    after, commands = step(state, late)
    assert (after, commands) == (state, ())


def test_a_verdict_about_another_commit_is_never_taken_for_the_one_that_was_asked_for() -> None:
    world = World(truth=Truth(heads=1), seed=0)
    state = world.open(jobs=1, max_batch=1)
    state = world._do(state, world.todo.pop(0))
    with pytest.raises(AssertionError, match="another commit"):
        step(state, Judged(attempt=1, commit="other", parent="c0", verdict=Verdict.GREEN))


def test_a_queue_is_opened_once() -> None:
    world = World(truth=Truth(heads=1), seed=0)
    state = world.open(jobs=1, max_batch=1)
    with pytest.raises(AssertionError, match="twice"):
        step(state, Opened(tip="c0", items=(), jobs=1, max_batch=1))


def two_reds_ahead_of_a_good_one() -> tuple[World, QueueState]:
    """Heads 0 and 1 are bad, 2 is good; 1 was red on 0 before 0 was red itself, which made what stands on it void."""
    world = World(truth=Truth(heads=3, bad=frozenset({0, 1})), seed=0)
    state = settled(world, world.open(jobs=3, max_batch=1))
    for attempt in (2, 1):
        state = settled(world, world._answer(state, world.running.pop(attempt)))
    return world, state


def settled(world: World, state: QueueState) -> QueueState:
    """Everything composed that is to be composed."""
    while world.todo:
        state = world._do(state, world.todo.pop(0))
    return state


def test_nobody_stands_on_a_head_that_was_red_alone_before_it_was_judged_again() -> None:
    world, state = two_reds_ahead_of_a_good_one()
    assert [batch.parent for batch in state.line] == ["c0", "c0", "c0"]
    assert [batch.suspect for batch in state.line] == [False, True, False]
    assert set(world.fates(world.run(state)).items()) == {
        (0, Fate.EJECTED), (1, Fate.EJECTED), (2, Fate.LANDED),
    }  # fmt: skip


def test_a_suspect_that_is_green_is_stood_on_again() -> None:
    world = World(truth=Truth(heads=3, bad=frozenset({0})), seed=0)
    state = settled(world, world.open(jobs=3, max_batch=1))
    for attempt in (2, 1):
        state = settled(world, world._answer(state, world.running.pop(attempt)))
    suspect = state.line[1]
    assert suspect.suspect
    state = settled(world, world._answer(state, world.running.pop(suspect.attempt)))
    assert (state.line[1].phase, state.line[1].failing) == (Phase.GREEN, False)
    assert state.line[2].parent == state.line[1].commit
    assert world.fates(world.run(state)) == {0: Fate.EJECTED, 1: Fate.LANDED, 2: Fate.LANDED}


def test_two_reds_are_judged_once_more_side_by_side_and_put_out_one_after_the_other() -> None:
    world, state = two_reds_ahead_of_a_good_one()
    second = state.line[1]
    state = settled(world, world._answer(state, world.running.pop(second.attempt)))
    again = {order.batch for order in world.running.values() if order.fresh}
    assert again == {state.line[0].id, state.line[1].id}
    state = world._answer(state, world.running.pop(state.line[1].attempt))
    assert (state.line[1].phase, state.line[1].reds, state.decided) == (Phase.RED, 2, ())
    state = world._answer(state, world.running.pop(state.line[0].attempt))
    assert [one.item.number for one in state.decided] == [0, 1]
