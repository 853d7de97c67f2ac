"""Finding places: the parts that no proposal reaches on its own."""

from __future__ import annotations

import pytest

from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.matching import Exhausted, Haystack, Shift
from dev_agent.edits.text import FileText, split_lines


def test_a_search_that_runs_out_of_budget_never_reports_the_places_found_so_far() -> None:
    haystack = Haystack(FileText.from_bytes(b"  a\nb\n    a\n"), budget=1)
    with pytest.raises(Exhausted):
        haystack.find(split_lines("a\n"), hint=None, levels=[MatchLevel.INDENT])


def test_blank_lines_alone_have_no_indentation_to_shift() -> None:
    haystack = Haystack(FileText.from_bytes(b"a\n  \nb\n"))
    assert haystack.places(split_lines("\n"), MatchLevel.INDENT) == []


def test_a_block_whose_lines_lose_different_indentation_has_no_place() -> None:
    haystack = Haystack(FileText.from_bytes(b"a\nb\n"))
    assert haystack.places(split_lines("    a\n  b\n"), MatchLevel.INDENT) == []


def test_tabs_are_not_traded_for_spaces() -> None:
    haystack = Haystack(FileText.from_bytes(b"\ta\n"))
    assert haystack.places(split_lines("  a\n"), MatchLevel.INDENT) == []


def test_a_shift_leaves_blank_lines_alone() -> None:
    assert Shift(sign=1, by="  ").applied("") == ""
    assert Shift(sign=-1, by="  ").applied(" a") is None
