from __future__ import annotations

from dev_agent.programs.clock import SystemClock, new_run_id


def test_ids_sort_by_the_millisecond_they_were_made_in() -> None:
    earlier = new_run_id("2026-11-22T10:00:00.123Z")
    later = new_run_id("2026-11-22T10:00:00.124Z")
    assert earlier.startswith("20261122-100000123-")
    assert earlier < later


def test_two_ids_of_one_instant_differ() -> None:
    now = SystemClock().now()
    assert new_run_id(now) != new_run_id(now)
