"""The syntax tree of a text that differs little from one whose tree is known: only the lines between are parsed.

Parsing is most of what facts about Python cost, and of two versions of a file most statements are the same lines.
Statements at the top of a module, in lines of their own, depend on nothing around them: the tokenizer enters each with
nothing open and no indentation. So the statements before the first difference, those parsed from the lines between, and
those after the last difference are the statements of the whole, provided that

- the lines between parse as a module of their own: they then begin with no indentation and no `else:` of somebody
  above, and leave no bracket, string, decorator or backslash open;
- every cut is at the first line of a statement at column 0, and the line above it does not end in a backslash, which
  would join the two;
- lines count the same to everybody (no carriage return, form feed or NUL) and neither text declares an encoding.

Wherever one of these cannot be seen to hold the answer is None, and the whole text has to be parsed. The result is the
same as that of parsing it, positions included; statements after the last difference are taken over only where they keep
their line numbers. Nodes are shared with the known tree, so nobody may change either. Pure.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Sequence

_UNCOUNTED = (b"\r", b"\f", b"\0", b"\xef\xbb\xbf")
_FIRST_LINES = 2
"""An encoding can be declared in these only."""


def grafted(known: bytes, body: Sequence[ast.stmt], content: bytes) -> ast.Module | None:
    """Return the tree of `content`, given that `body` are the statements of `known`; None if that cannot be told."""
    if not body or any(sign in text for text in (known, content) for sign in _UNCOUNTED):
        return None
    same = _common_start(known, content)
    starts = [_start(one) for one in body]
    above, begin = _last_above(known, body, starts, same)
    if above == 0 or starts[above] <= _FIRST_LINES or _declares_encoding(known):
        return None
    below, left = _first_below(known, content, body, starts, same)
    try:
        between = ast.parse(b"\n" * (starts[above] - 1) + content[begin : len(content) - left])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return ast.Module(body=[*body[:above], *between.body, *body[below:]], type_ignores=[])


def _last_above(known: bytes, body: Sequence[ast.stmt], starts: Sequence[int], same: int) -> tuple[int, int]:
    """The last statement whose first line may be cut at, not below the first line that differs; and where it begins.

    0 if there is none: above the first statement nothing is saved.
    """
    at = known.rfind(b"\n", 0, same) + 1
    line = known.count(b"\n", 0, at) + 1
    for index in range(bisect_right(starts, line) - 1, 0, -1):
        while line > starts[index]:
            at = known.rfind(b"\n", 0, at - 1) + 1
            line -= 1
        if _is_cut(known, body[index], at):
            return index, at
    return 0, 0


def _first_below(
    known: bytes, content: bytes, body: Sequence[ast.stmt], starts: Sequence[int], same: int
) -> tuple[int, int]:
    """The first statement that lies in the same lines of both texts, whole and after the last difference; and how many
    bytes there are from its beginning. None does if the lines below the difference have other numbers than before."""
    if known.count(b"\n") == content.count(b"\n"):
        tail = _common_end(known, content, min(len(known), len(content)) - same)
        # A line of which only the end is the same is not: it is the one that differs.
        at = known.rfind(b"\n", 0, len(known) - tail) + 1
        line = known.count(b"\n", 0, at) + 1
        for index in range(bisect_right(starts, line), len(body)):
            while line < starts[index]:
                at = known.index(b"\n", at) + 1
                line += 1
            if _is_cut(known, body[index], at):
                return index, len(known) - at
    return len(body), 0


def _is_cut(known: bytes, statement: ast.stmt, at: int) -> bool:
    """Whether the text may be cut above this statement, whose first line begins `at`. What begins at column 0 begins a
    line of its own, unless the line above is continued: `a = 1; \\` and below it `b = 2`."""
    return statement.col_offset == 0 and known[at - 2 : at - 1] != b"\\"


def _start(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _declares_encoding(text: bytes) -> bool:
    return any(b"coding" in line for line in text.split(b"\n", _FIRST_LINES)[:_FIRST_LINES])


def _common_start(one: bytes, other: bytes) -> int:
    """How many bytes the texts begin alike with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: bytes, other: bytes, most: int) -> int:
    """How many bytes, at most `most`, the texts end alike with."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
