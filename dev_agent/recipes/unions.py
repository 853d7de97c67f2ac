"""`Optional[X]` and `Union[X, Y]` as `X | None` and `X | Y`, by small edits that others inside them do not meet.

Left alone, with the reason: operands in quotes (`"X" | None` is an error when evaluated), and, where the type is
evaluated, operands that may not be types then: calls, functions, and the factories typeshed declares as classes.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.source import Edit
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.called import Called
    from dev_agent.recipes.typespots import TypeSpot

# Functions at run time, in some Python at least: `threading.Lock | None` raises TypeError before 3.13.
_FACTORIES: Final = frozenset(
    {"threading.Lock", "threading.RLock", "_thread.LockType", "functools.partialmethod"}
)
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


class Left(Exception):
    """Why a union stays as it is."""


@dataclass(frozen=True, slots=True)
class Unions:
    """What is known of a file that decides about its unions. `functions`: names it defines as functions."""

    called: Called
    functions: frozenset[str]

    def edits(self, spot: TypeSpot, node: ast.Subscript) -> list[Edit]:
        """The edits that turn Optional[...] or Union[...] into `|`. Raises Left."""
        optional = self.called.typing(node.value) == "Optional"
        members = node.slice.elts if isinstance(node.slice, ast.Tuple) and not optional else [node.slice]
        self._check(spot, [*members, *([ast.Constant(None)] if optional else [])])
        spans = [spot.span(member) for member in members]
        text, (start, end) = spot.source.text, spot.span(node)
        several = "\n" in text[start:end] or "\r" in text[start:end]
        opening = self._opening(spot, node, spans[0][0])
        suffix = " | None" if optional and not self._has_none(node.slice) else ""
        closing = re.fullmatch(r"[ \t]*,?[ \t]*\]", text[spans[-1][1] : end])
        if not several:
            if closing is None or text[opening : spans[0][0]].strip():
                raise Left("it is written in a way that is not understood")
            head, tail = Edit(start, spans[0][0], ""), Edit(spans[-1][1], end, suffix)
            return [head, *self._between(text, spans, " | "), tail]
        return [
            Edit(start, opening, "("),
            *self._commas(text, spans, end),
            Edit(end - 1, end, f"){suffix}"),
        ]

    def _check(self, spot: TypeSpot, members: Sequence[ast.expr]) -> None:
        if all(_is_none(member) for member in members):
            raise Left("it is nothing but None")
        for member in members:
            if isinstance(member, ast.Starred | ast.Tuple):
                raise Left("its members are not written out")
            if isinstance(member, ast.Constant) and isinstance(member.value, str):
                raise Left("a member is in quotes")
            if spot.evaluated and self._no_type(member):
                raise Left("a member may not be a type at run time")

    def _no_type(self, member: ast.expr) -> bool:
        if isinstance(member, ast.Name) and self.called.builtin(member.id) and hasattr(builtins, member.id):
            return not isinstance(getattr(builtins, member.id), type)
        if isinstance(member, ast.Name) and member.id in self.functions:
            return True
        full = self.called.full(member)
        if full in _FACTORIES or full.startswith("multiprocessing."):
            return True
        return not isinstance(member, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp) and not _is_none(
            member
        )

    def _has_none(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Subscript):
            return isinstance(node, ast.BinOp) and (_is_none(node.right) or self._has_none(node.left))
        name = self.called.typing(node.value)
        members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return name == "Optional" or (name == "Union" and any(_is_none(member) for member in members))

    def _opening(self, spot: TypeSpot, node: ast.Subscript, first: int) -> int:
        end = spot.span(node.value)[1]
        found = re.match(r"[ \t]*\[", spot.source.text[end:first])
        if not found:
            raise Left("it is written in a way that is not understood")
        return end + found.end()

    @staticmethod
    def _between(text: str, spans: Sequence[tuple[int, int]], mark: str) -> list[Edit]:
        edits = []
        for (_, end), (start, _) in pairwise(spans):
            if not _COMMA.fullmatch(text, end, start):
                raise Left("it is written in a way that is not understood")
            edits.append(Edit(end, start, mark))
        return edits

    @staticmethod
    def _commas(text: str, spans: Sequence[tuple[int, int]], end: int) -> list[Edit]:
        """Over several lines each comma becomes a bar, the last goes; comments and line ends stay."""
        edits = []
        gaps = [
            *((left[1], right[0]) for left, right in pairwise(spans)),
            (spans[-1][1], end),
        ]
        for number, (start, stop) in enumerate(gaps):
            found = re.match(r"[ \t]*,", text[start:stop])
            last = number == len(gaps) - 1
            if found:
                edits.append(Edit(start, start + found.end(), "" if last else " |"))
            elif not last:
                raise Left("it is written in a way that is not understood")
        return edits


def functions_of(tree: ast.Module) -> frozenset[str]:
    """The names a file defines as functions."""
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
