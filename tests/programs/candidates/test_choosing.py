"""Which candidate wins, and how many are asked for."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.programs.candidates.ranking import Candidate, Standing, best, ranked
from dev_agent.programs.candidates.schedule import affordable, asked_for, at_once, is_count

PLAIN = Candidate(number=2, standing=Standing.GREEN, public=1, source_lines=5, lines=9)


@pytest.mark.parametrize(
    "better",
    [
        replace(PLAIN, reproduced=True, public=9, source_lines=99),
        replace(PLAIN, standing=Standing.ASKED, reproduced=True),
        replace(PLAIN, public=0, source_lines=99, lines=99),
        replace(PLAIN, source_lines=4, lines=99),
        replace(PLAIN, lines=8),
        replace(PLAIN, number=1),
    ],
)
def test_each_step_outweighs_all_that_follow(better: Candidate) -> None:
    worse = replace(PLAIN, number=3)
    better = replace(better, number=better.number if better.number == 1 else 4)

    assert best([worse, better]) is better


def test_a_refused_candidate_never_beats_one_that_lands() -> None:
    small = Candidate(number=1, standing=Standing.RED, reproduced=True)
    for refused in set(Standing) - {Standing.GREEN, Standing.ASKED}:
        assert (
            best([replace(small, standing=refused), replace(PLAIN, standing=Standing.ASKED, lines=999)]).lines
            == 999
        )


def test_of_red_ones_the_one_with_the_fewest_failures_goes_on() -> None:
    near = Candidate(number=2, standing=Standing.RED, failures=1, lines=50)

    assert best([Candidate(number=1, standing=Standing.RED, failures=2), near]) is near
    assert best([near, Candidate(number=1, standing=Standing.DENIED)]) is near


def test_two_of_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="same number"):
        ranked([PLAIN, replace(PLAIN, lines=1)])


candidates = st.lists(
    st.builds(
        Candidate,
        number=st.integers(1, 99),
        standing=st.sampled_from(Standing),
        failures=st.integers(0, 2),
        reproduced=st.booleans(),
        public=st.integers(0, 2),
        source_lines=st.integers(0, 2),
        lines=st.integers(0, 2),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.number,
)


@pytest.mark.law
@given(found=candidates)
def test_the_winner_does_not_depend_on_who_was_ready_first(found: list[Candidate]) -> None:
    """Law: a total order. Every permutation is ranked alike, and whoever is better pairwise is better in the list."""
    order = ranked(found)

    assert all(ranked(shuffled) == order for shuffled in itertools.permutations(found))
    assert all(best([one, other]) is one for one, other in itertools.combinations(order, 2))


@pytest.mark.parametrize(("said", "counts"), [("1", [1, 1, 1]), ("5", [5, 5, 5]), ("auto", [1, 4, 8, 8])])
def test_a_round_asks_as_the_schedule_says(said: str, counts: list[int]) -> None:
    assert [asked_for(said, number) for number in range(1, len(counts) + 1)] == counts


@pytest.mark.parametrize(
    ("left", "spent", "count"),
    [
        ({}, {}, 8),
        ({"model_calls": 3}, {"model_calls": 2}, 3),
        ({"model_calls": 0}, {"model_calls": 2}, 1),
        ({"tokens": 2_500}, {"model_calls": 2, "tokens": 2_000}, 2),
        ({"money": 999}, {"model_calls": 2, "money": 500}, 3),
        ({"money": 10}, {"model_calls": 2, "money": 0}, 8),
        ({"transitions": 1, "wall_ms": 1}, {"model_calls": 2}, 8),
    ],
)
def test_a_round_is_cut_to_what_the_budgets_leave(
    left: dict[str, int], spent: dict[str, int], count: int
) -> None:
    assert affordable(8, left=left, spent=spent) == count


@pytest.mark.parametrize(
    ("count", "processors", "confined", "width"),
    [(4, 2, True, 2), (3, 64, True, 3), (9, 64, True, 4), (4, 0, True, 1), (4, 64, False, 1)],
)
def test_suites_run_side_by_side_only_where_they_cannot_meet(
    count: int, processors: int, confined: bool, width: int
) -> None:
    assert at_once(count, processors=processors, confined=confined) == width


@pytest.mark.parametrize("text", ["auto", "1", "16"])
def test_counts_of_candidates(text: str) -> None:
    assert is_count(text)


@pytest.mark.parametrize("text", ["", "0", "17", "-1", "1.0", "AUTO", "٣", "1e1", " 1"])
def test_no_counts_of_candidates(text: str) -> None:
    assert not is_count(text)
