"""Where identifiers stand inside an f-string.

Before Python 3.12 `ast` gives wrong positions there, and `tokenize` none. LibCST has the right ones; which of the
identifiers is which node follows from their order in the text.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 60
"""LibCST's native parser ends the process on absurd nesting; brackets deeper than this are not given to it."""


def places(text: str, name: str) -> list[int]:
    """Return the offsets of the identifiers spelled `name` in an f-string, in order; none if LibCST cannot read it."""
    if _depth(text) > _DEEPEST:
        return []
    try:
        wrapper = MetadataWrapper(cst.parse_module(f"({text}\n)"), unsafe_skip_copy=True)
    except cst.ParserSyntaxError:
        return []
    spans = wrapper.resolve(ByteSpanPositionProvider)
    starts = [spans[node].start for node in spans if isinstance(node, cst.Name) and node.value == name]
    encoded = text.encode()
    return sorted(len(encoded[: start - 1].decode(errors="ignore")) for start in starts)


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def in_order(fstring: ast.JoinedStr, wanted: set[int]) -> list[int]:
    """Return the ids of the wanted nodes below an f-string in the order their names have in the text."""
    return [identity for identity in _textual(fstring) if identity in wanted]


def _textual(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.Attribute):
        yield from _textual(node.value)
        yield id(node)
        return
    yield id(node)
    for child in _children(node):
        yield from _textual(child)


def _children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.IfExp):
        return [node.body, node.test, node.orelse]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [one for pair in pairs for one in pair if one is not None]
    if isinstance(node, ast.Call):
        arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        return [node.func, *sorted(arguments, key=lambda one: (one.lineno, one.col_offset))]
    return list(ast.iter_child_nodes(node))
