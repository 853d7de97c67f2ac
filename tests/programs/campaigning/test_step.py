"""What a campaign decides: places, budget, what is begun again and what never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.campaigning.budget import Used, settled, share
from dev_agent.programs.campaigning.events import Ended, Event, Opened, Restarted, Told, from_json, to_json
from dev_agent.programs.campaigning.model import CampaignState, Fate, Phase
from dev_agent.programs.campaigning.step import Order, Publish, Work, opened, step
from dev_agent.programs.cost import Cost
from dev_agent.programs.spending import Spending
from tests.programs.campaigning.world import World

FREE = Spending()


def begun(
    rows: int = 3, *, jobs: int = 2, limits: Spending = FREE, publish: bool = False
) -> tuple[CampaignState, tuple[Order, ...]]:
    names = tuple(f"r{number}" for number in range(rows))
    return opened(Opened(names=names, chosen=tuple(range(rows)), jobs=jobs, limits=limits, publish=publish))


def ended(
    row: int, fate: Fate = Fate.LANDED, *, cost: Cost | None = None, ms: int = 0, run: str = "r"
) -> Ended:
    return Ended(row=row, fate=fate, ms=ms, run=run, cost=cost or Cost())


def again(
    state: CampaignState,
    *,
    retry: bool = False,
    publish: bool = False,
    limits: Spending = FREE,
    chosen: tuple[int, ...] | None = None,
) -> Restarted:
    return Restarted(
        chosen=tuple(range(len(state.rows))) if chosen is None else chosen,
        jobs=state.jobs,
        limits=limits,
        publish=publish,
        retry=retry,
    )


def rows_of(orders: tuple[Order, ...]) -> list[int]:
    return [one.row for one in orders]


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 9),
    jobs=st.integers(1, 4),
    calls=st.none() | st.integers(1, 12),
    publish=st.booleans(),
    dies=st.sampled_from([0.0, 0.3]),
)
def test_places_and_budget_are_kept_and_every_row_has_its_fate_whatever_dies(
    seed: int,
    rows: int,
    jobs: int,
    calls: int | None,
    publish: bool,
    dies: float,
) -> None:
    """Law: never more at work than places, never more given than there is, one fate each, a fold is the state."""
    names = tuple(f"r{number}" for number in range(rows))
    world = World(
        seed=seed, names=names, limits=Spending(model_calls=calls), jobs=jobs, publish=publish, dies=dies
    )
    state = world.run()
    assert all(row.phase is Phase.DECIDED for row in state.rows)
    assert {row.number for row in state.rows if row.landed} == world.landed
    assert set(world.published) == (world.landed if publish else set())
    if calls is None:
        assert Fate.NOT_STARTED not in {row.fate for row in state.rows}


def test_two_that_work_at_once_are_given_halves_and_the_rest_of_one_comes_back() -> None:
    state, orders = begun(rows=3, limits=Spending(model_calls=10, money=1_000))
    assert [(one.grant.model_calls, one.grant.money) for one in orders if isinstance(one, Work)] == [
        (5, 500),
        (5, 500),
    ]
    state, orders = step(state, ended(0, cost=Cost(calls=1, micro_usd=100)))
    (third,) = orders
    assert isinstance(third, Work)
    assert (third.grant.model_calls, third.grant.money) == (4, 400)
    assert (state.used.model_calls, state.used.money) == (10, 1_000)


def test_what_is_not_known_is_counted_as_all_that_was_given() -> None:
    grant = Spending(model_calls=4, money=700)
    assert settled(None, grant) == Used(model_calls=4, money=700)
    assert settled(Cost(calls=1, micro_usd=5, unpriced=1), grant) == Used(model_calls=1, money=700)
    assert settled(Cost(calls=1, micro_usd=5), grant) == Used(model_calls=1, money=5)


def test_when_the_budget_is_gone_the_rest_is_not_started_and_a_larger_one_starts_it() -> None:
    state, orders = begun(rows=3, jobs=1, limits=Spending(model_calls=2))
    assert rows_of(orders) == [0]
    state, orders = step(state, ended(0, Fate.REJECTED, cost=Cost(calls=2)))
    assert orders == ()
    assert [row.fate for row in state.rows] == [Fate.REJECTED, Fate.NOT_STARTED, Fate.NOT_STARTED]
    assert not state.finished
    state, orders = step(state, again(state, limits=Spending(model_calls=4)))
    assert rows_of(orders) == [1]


def test_nobody_is_turned_away_while_something_set_aside_may_come_back() -> None:
    state, _ = begun(rows=3, limits=Spending(model_calls=2))
    assert state.rows[2].phase is Phase.PENDING
    state, orders = step(state, ended(0, cost=Cost()))
    assert rows_of(orders) == [2]


def test_time_passes_for_all_and_is_counted_over_every_use() -> None:
    limits = Spending(wall_ms=120_000)
    state, orders = begun(rows=3, jobs=1, limits=limits)
    assert isinstance(orders[0], Work)
    assert (orders[0].left_ms, orders[0].grant.wall_ms) == (120_000, 120_000)
    state, orders = step(state, ended(0, ms=50_000))
    assert isinstance(orders[0], Work)
    assert (orders[0].left_ms, orders[0].grant.wall_ms) == (70_000, 120_000)
    state, orders = step(state, again(state, limits=limits))
    assert isinstance(orders[0], Work)
    assert orders[0].left_ms == 70_000
    state, orders = step(state, ended(1, ms=80_000))
    assert (orders, state.rows[2].fate, state.elapsed_ms) == ((), Fate.NOT_STARTED, 130_000)


def test_what_a_dead_process_had_in_hand_is_begun_again_first_and_within_what_it_was_given() -> None:
    state, orders = begun(rows=4, jobs=1, limits=Spending(model_calls=8))
    state, orders = step(state, ended(0, Fate.REJECTED, cost=Cost(calls=2)))
    assert isinstance(orders[0], Work)
    before = orders[0].grant
    state, orders = step(state, again(state, limits=Spending(model_calls=8), chosen=(1, 2, 3)))
    assert isinstance(orders[0], Work)
    assert (orders[0].row, orders[0].grant) == (1, before)
    assert state.rows[0].fate is Fate.REJECTED


@pytest.mark.parametrize(
    ("fate", "run_kept"),
    [
        (Fate.REJECTED, ""),
        (Fate.TROUBLE, ""),
        (Fate.OUT_OF_BUDGET, ""),
        (Fate.WAITING, "r"),
        (Fate.KEPT, "r"),
    ],
)
def test_retrying_begins_what_failed_anew_and_asks_what_waits_how_it_stands(
    fate: Fate, run_kept: str
) -> None:
    state, _ = begun(rows=1)
    state, _ = step(state, ended(0, fate, cost=Cost(calls=3)))
    unchanged, orders = step(state, again(state))
    assert (orders, unchanged.rows[0].fate) == ((), fate)
    state, orders = step(state, again(state, retry=True))
    assert (rows_of(orders), state.rows[0].run) == ([0], run_kept)
    state, _ = step(state, ended(0, Fate.LANDED, cost=Cost(calls=4)))
    # The run that had waited is the same one and tells its whole cost; another one costs on top.
    assert state.used.model_calls == (4 if run_kept else 7)


@pytest.mark.parametrize("fate", [Fate.LANDED, Fate.VERIFIED, Fate.NO_CHANGE])
def test_nothing_that_ended_well_is_ever_begun_again(fate: Fate) -> None:
    state, _ = begun(rows=1)
    state, _ = step(state, ended(0, fate))
    after, orders = step(state, again(state, retry=True))
    assert (orders, after.rows[0].fate) == ((), fate)


def test_what_landed_is_published_and_a_publication_that_died_is_done_again() -> None:
    state, _ = begun(rows=1, publish=True)
    state, orders = step(state, ended(0))
    assert [type(one) for one in orders] == [Publish]
    state, orders = step(state, again(state, publish=True))
    assert [type(one) for one in orders] == [Publish]
    state, orders = step(state, Told(row=0, fate=Fate.PUBLISHED, ms=0, pull="u"))
    assert (orders, state.rows[0].pull, state.finished) == ((), "u", True)
    after, orders = step(state, again(state, publish=True, retry=True))
    assert (orders, after.rows[0].fate) == ((), Fate.PUBLISHED)


def test_what_landed_earlier_is_published_when_somebody_asks_for_it_later() -> None:
    state, _ = begun(rows=2, jobs=1)
    state, _ = step(state, ended(0))
    state, _ = step(state, ended(1, Fate.NO_CHANGE))
    state, orders = step(state, again(state, publish=True))
    assert [(type(one), one.row) for one in orders] == [(Publish, 0)]


def test_a_publication_that_was_refused_is_done_again_only_when_asked_and_without_another_run() -> None:
    state, _ = begun(rows=1, publish=True)
    state, _ = step(state, ended(0))
    state, _ = step(state, Told(row=0, fate=Fate.KEPT, ms=0, why="theirs"))
    _, orders = step(state, again(state, publish=True))
    assert orders == ()
    _, orders = step(state, again(state, publish=True, retry=True))
    assert [type(one) for one in orders] == [Publish]


def test_only_the_chosen_go_on_and_the_others_stay_for_another_time() -> None:
    state, _ = begun(rows=3, jobs=1)
    state, orders = step(state, again(state, chosen=(2,)))
    assert rows_of(orders) == [2]
    state, orders = step(state, ended(2))
    assert (orders, state.finished) == ((), False)
    assert [row.phase for row in state.rows] == [Phase.PENDING, Phase.PENDING, Phase.DECIDED]


@pytest.mark.parametrize("event", [ended(1), Told(row=0, fate=Fate.PUBLISHED, ms=0), ended(7)])
def test_an_answer_nobody_waits_for_is_a_bug_and_changes_nothing(event: Event) -> None:
    state, _ = begun(rows=2, jobs=1)
    with pytest.raises(AssertionError, match="BUG"):
        step(state, event)


@pytest.mark.parametrize(
    "change",
    [
        {"event": "no"},
        {"row": -1},
        {"row": "0"},
        {"fate": "fine"},
        {"more": 1},
        {"cost": {"calls": -1}},
        {"cost": {"x": 1}},
    ],
)
def test_an_event_that_was_tampered_with_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(EnvironmentFault):
        from_json({**to_json(ended(0)), **change})


@pytest.mark.parametrize("name", ["why", "fate", "cost"])
def test_an_event_that_lacks_a_field_is_refused_though_it_could_have_a_default(name: str) -> None:
    recorded = to_json(ended(0))
    del recorded[name]
    with pytest.raises(EnvironmentFault):
        from_json(recorded)


def test_a_share_is_of_what_is_free_and_nothing_is_no_share() -> None:
    limits = Spending(tokens=100, wall_ms=61_000)
    assert share(limits, Used(tokens=40), elapsed_ms=0, places=2) == Spending(tokens=30, wall_ms=120_000)
    assert share(limits, Used(tokens=99), elapsed_ms=0, places=2) == Spending(tokens=1, wall_ms=120_000)
    assert share(limits, Used(tokens=100), elapsed_ms=0, places=1) is None
    assert share(limits, Used(tokens=120), elapsed_ms=0, places=1) is None
    assert share(limits, Used(), elapsed_ms=61_000, places=1) is None
