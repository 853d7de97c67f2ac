"""How many candidates are judged at a time, here and by a cluster."""

from __future__ import annotations

import pytest

from dev_agent.programs.candidates.schedule import at_once


@pytest.mark.parametrize(
    ("count", "processors", "confined", "width", "wanted"),
    [
        (4, 8, True, None, 4),
        (4, 2, True, None, 2),
        (4, 8, False, None, 1),
        (4, 1, False, 8, 4),  # workers confine by themselves, and their processors are not ours
        (4, 8, True, 1, 2),  # one more than there are slots, so that no slot waits for the next question
        (1, 8, True, 8, 1),
    ],
)
def test_as_many_at_a_time_as_whoever_judges_can(
    count: int, processors: int, confined: bool, width: int | None, wanted: int
) -> None:
    assert at_once(count, processors=processors, confined=confined, width=width) == wanted
