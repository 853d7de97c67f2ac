"""Two sequences are aligned without gap or overlap, and what is called equal is equal, also where both are long."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev_agent.edits.alignment import opcodes


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), kept=st.floats(0, 1), shuffled=st.booleans())
def test_an_alignment_covers_both_sides_in_order(seed: int, kept: float, shuffled: bool) -> None:
    """Law: the opcodes cut both sequences into consecutive pieces, alternately equal and not, none of them empty."""
    random = Random(seed)  # noqa: S311 -- repeatable is what is wanted
    old = [random.randrange(400) for _ in range(500)]
    new = [one for one in old if random.random() < kept] + [random.randrange(30) for _ in range(20)]
    if shuffled:
        random.shuffle(new)
    codes = opcodes(old, new)

    assert [(0, 0), *((end, new_end) for _, _, end, _, new_end in codes)] == [
        *((start, new_start) for _, start, _, new_start, _ in codes),
        (len(old), len(new)),
    ]
    assert all(old[a:b] == new[c:d] for equal, a, b, c, d in codes if equal)
    assert all(a < b or c < d for _, a, b, c, d in codes)
    assert all(one[0] is not other[0] for one, other in pairwise(codes))


@pytest.mark.parametrize("lines", [300, 5000])
def test_one_line_more_and_one_line_less_are_no_more_than_that(lines: int) -> None:
    old = list(range(lines))
    new = [*old[:5], "more", *old[5:-5], *old[-4:]]
    assert [code[1:] for code in opcodes(old, new) if not code[0]] == [
        (5, 5, 5, 6),
        (lines - 5, lines - 4, lines - 4, lines - 4),
    ]
