"""Align two sequences of lines: which stand in both, and what was put in place of what. Pure, of bounded cost.

Small ranges are aligned as difflib does. A large one is cut first at lines that both sides have exactly once (the
"patience" diff), so that two edits far apart in a long file stay two edits. What offers nothing to cut at is one piece.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

_ALIGNABLE: Final = 40_000
"""Above this product of lengths a changed middle is cut at lines both sides have once, and without one not aligned."""
_DEPTH: Final = 16
"""How often what is between two cuts is cut again. Sources need two or three; one made for it needs thousands."""

Opcode = tuple[bool, int, int, int, int]
"""(equal, old start, old end, new start, new end)."""
_Span = tuple[int, int, int, int]


def opcodes(old: Sequence[object], new: Sequence[object]) -> list[Opcode]:
    """Align two sequences. Deterministic and of bounded cost; not always minimal."""
    return _joined(_aligned(old, new, (0, len(old), 0, len(new)), _DEPTH))


def _aligned(old: Sequence[object], new: Sequence[object], within: _Span, depth: int) -> Iterator[Opcode]:
    """Align two ranges: what both begin and end with, then what is between."""
    start, end, new_start, new_end = within
    shorter = min(end - start, new_end - new_start)
    head = 0
    while head < shorter and old[start + head] == new[new_start + head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[end - 1 - tail] == new[new_end - 1 - tail]:
        tail += 1
    yield (True, start, start + head, new_start, new_start + head)
    yield from _middle(old, new, (start + head, end - tail, new_start + head, new_end - tail), depth)
    yield (True, end - tail, end, new_end - tail, new_end)


def _middle(old: Sequence[object], new: Sequence[object], within: _Span, depth: int) -> Iterator[Opcode]:
    start, end, new_start, new_end = within
    if (end - start) * (new_end - new_start) <= _ALIGNABLE:
        matcher = SequenceMatcher(None, old[start:end], new[new_start:new_end], autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            yield (tag == "equal", a + start, b + start, c + new_start, d + new_start)
        return
    landmarks = _landmarks(old, new, within) if depth else []
    if not landmarks:
        yield (False, start, end, new_start, new_end)
        return
    for at, new_at in landmarks:
        # What is repeated in all of the range may stand once between two landmarks of it.
        yield from _aligned(old, new, (start, at, new_start, new_at), depth - 1)
        yield (True, at, at + 1, new_at, new_at + 1)
        start, new_start = at + 1, new_at + 1
    yield from _aligned(old, new, (start, end, new_start, new_end), depth - 1)


def _landmarks(old: Sequence[object], new: Sequence[object], within: _Span) -> list[tuple[int, int]]:
    """Places of lines that both ranges have exactly once: the longest chain that has one order in both.

    By patience sorting: `ends[k]` is the least end, in the new range, of a chain of k + 1 lines.
    """
    start, end, new_start, new_end = within
    once, other_once = _once(old, start, end), _once(new, new_start, new_end)
    pairs = [(at, other_once[line]) for line, at in once.items() if line in other_once]
    ends: list[int] = []
    lasts: list[int] = []
    before: list[int] = []
    for number, (_, other) in enumerate(pairs):
        length = bisect_left(ends, other)
        before.append(lasts[length - 1] if length else -1)
        ends[length : length + 1] = [other]
        lasts[length : length + 1] = [number]
    chain: list[tuple[int, int]] = []
    number = lasts[-1] if lasts else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _once(lines: Sequence[object], start: int, end: int) -> dict[object, int]:
    """Lines that stand once in a range, in their order, with their places."""
    counts = Counter(lines[start:end])
    return {lines[at]: at for at in range(start, end) if counts[lines[at]] == 1}


def _joined(codes: Iterable[Opcode]) -> list[Opcode]:
    """Neighbours of one kind as one; empty ones left out."""
    joined: list[Opcode] = []
    for code in codes:
        equal, start, end, new_start, new_end = code
        if start == end and new_start == new_end:
            continue
        if joined and joined[-1][0] == equal:
            start, new_start = joined[-1][1], joined[-1][3]
            joined.pop()
        joined.append((equal, start, end, new_start, new_end))
    return joined
