"""Which lines a change adds and removes, in time that grows with the size of the file and not with its
square.

Two questions with two answers:

`count_changes` counts as a person reading a diff would: equal ends are cut off, lines that occur once on both
sides anchor the rest (patience diff, one longest increasing run), equal lines around the anchors join them,
and what lies between is replaced. It never counts less than the smallest diff, and more only in files of
repeated lines.

`fresh_lines` asks which lines are *new words*: those occurring more often than before, wherever they stand. A
line that merely moved is not fresh, so moving a suppressed line is not a new suppression.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LineCounts:
    """Lines added and lines removed; a replaced line counts once in each."""

    added: int
    removed: int


def count_changes(before: Sequence[bytes], after: Sequence[bytes]) -> LineCounts:
    """Count the changed lines between two versions given as lines."""
    added = removed = 0
    for low_a, high_a, low_b, high_b in _gaps(before, after):
        removed += high_a - low_a
        added += high_b - low_b
    return LineCounts(added=added, removed=removed)


def fresh_lines(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, str]]:
    """The lines of `after`, numbered from 1, occurring more often than in `before`; of equals the later."""
    spare = Counter(before)
    fresh = []
    for number, line in enumerate(after, start=1):
        if spare[line] > 0:
            spare[line] -= 1
        else:
            fresh.append((number, line))
    return fresh


def _gaps(a: Sequence[bytes], b: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    start, end_a, end_b = _trimmed(a, b, 0, len(a), 0, len(b))
    at_a, at_b = start, start
    for anchor_a, anchor_b in [*_anchors(a, b, start, end_a, end_b), (end_a, end_b)]:
        if anchor_a < at_a or anchor_b < at_b:
            continue  # an earlier anchor already grew over this one
        shared, high_a, high_b = _trimmed(a, b, at_a, anchor_a, at_b, anchor_b)
        yield at_a + shared, high_a, at_b + shared, high_b
        at_a, at_b = anchor_a, anchor_b
        while at_a < end_a and at_b < end_b and a[at_a] == b[at_b]:
            at_a, at_b = at_a + 1, at_b + 1


def _trimmed(
    a: Sequence[bytes], b: Sequence[bytes], low_a: int, high_a: int, low_b: int, high_b: int
) -> tuple[int, int, int]:
    """Length of the common start, and the ends of both spans without their common end."""
    shared = 0
    while low_a + shared < high_a and low_b + shared < high_b and a[low_a + shared] == b[low_b + shared]:
        shared += 1
    while high_a > low_a + shared and high_b > low_b + shared and a[high_a - 1] == b[high_b - 1]:
        high_a, high_b = high_a - 1, high_b - 1
    return shared, high_a, high_b


def _anchors(
    a: Sequence[bytes], b: Sequence[bytes], start: int, end_a: int, end_b: int
) -> list[tuple[int, int]]:
    """The longest run of pairs of equal lines, unique on both sides and in the order of both."""
    count_a, count_b = Counter(a[start:end_a]), Counter(b[start:end_b])
    where_b = {line: n for n, line in enumerate(b[start:end_b], start=start) if count_b[line] == 1}
    pairs = [
        (n, where_b[line])
        for n, line in enumerate(a[start:end_a], start=start)
        if count_a[line] == 1 and line in where_b
    ]
    return _longest_increasing(pairs)


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    ends: list[int] = []  # ends[k]: smallest last element of an increasing run of length k+1
    at: list[int] = []  # index into pairs of that element
    came_from: list[int] = []
    for index, (_, there) in enumerate(pairs):
        length = bisect_left(ends, there)
        came_from.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [there]
        at[length : length + 1] = [index]
    chain, index = [], at[-1] if at else -1
    while index >= 0:
        chain.append(pairs[index])
        index = came_from[index]
    return chain[::-1]
