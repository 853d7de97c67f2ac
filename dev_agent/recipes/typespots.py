"""The places of a file where types are written, with what decides about syntax there.

A type in quotes is a place of its own if its text stands in the file as it is meant: one plain literal, no escapes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import aliases, last_name, strings_in, type_arguments, written_types
from dev_agent.recipes.called import Called, postponed
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.source import Source

_PLAIN: Final = re.compile(r"""(['"])([^'"\\\r\n]*)\1""")
_ALIASED: Final = frozenset(
    {"Optional", "Union", "List", "Dict", "Set", "FrozenSet", "Tuple", "Type", "Callable"}
)


@dataclass(frozen=True, slots=True)
class TypeSpot:
    """One type. `evaluated`: Python evaluates it when the module runs."""

    root: ast.expr
    source: Source
    evaluated: bool
    base: int | None = None

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node of it is in the file."""
        if self.base is None:
            return self.source.span(node)
        start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined] # only expressions are asked about
        return self.base + start, self.base + end

    def nodes(self) -> Iterator[ast.expr]:
        """Its parts that are types: not the values of Literal, not the notes of Annotated, not what is in quotes."""
        stack: list[ast.expr] = [self.root]
        while stack:
            node = stack.pop()
            yield node
            stack += reversed(_parts(node))


def type_spots(source: Source, called: Called) -> list[TypeSpot]:
    """All places of a file where types are written."""
    late = postponed(source.tree)
    spots = [TypeSpot(node, source, evaluated=not late) for node in written_types(source.tree)]
    spots += [TypeSpot(node, source, evaluated=True) for node in type_arguments(source.tree)]
    spots += [TypeSpot(node, source, evaluated=True) for node in aliases(source.tree)]
    spots += [TypeSpot(node, source, evaluated=True) for node in _plain_aliases(source.tree, called)]
    return [*spots, *(quoted for spot in spots for quoted in _quoted(spot))]


def _plain_aliases(tree: ast.Module, called: Called) -> Iterator[ast.expr]:
    """The values of assignments that can only be type aliases: `Name = Optional[...]` outside of functions."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef | ast.If))]
    for node in (statement for body in bodies for statement in body):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            plain = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
            if plain and called.typing(node.value.value) in _ALIASED:
                yield node.value


def _quoted(spot: TypeSpot) -> Iterator[TypeSpot]:
    for string in strings_in(spot.root):
        start, end = spot.source.span(string)
        found = _PLAIN.fullmatch(spot.source.text, start, end)
        if not found or not found.group(2).isascii():
            continue
        try:
            inside = ast.parse(found.group(2), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        yield TypeSpot(inside, spot.source, evaluated=False, base=start + 1)


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Subscript):
        name = last_name(node.value)
        if name == "Literal":
            return [node.value]
        if name == "Annotated" and isinstance(node.slice, ast.Tuple):
            return [node.value, *node.slice.elts[:1]]
        return [node.value, node.slice]
    if isinstance(node, ast.Tuple | ast.List):
        return list(node.elts)
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return []
