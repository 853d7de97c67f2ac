"""How a function ends: what it returns, and whether its end can be reached.

Conservative about the end: `with` may swallow an exception, a call may never return, and a loop may run for ever, so
besides yes and no there is `unsure`. Nothing is said about a generator.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import TypeAlias

from dev_agent.values import dataclass

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class End(Enum):
    """Whether the statements can be left at their end."""

    REACHED = "reached"
    NEVER = "never"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Ending:
    """The values a function returns (None: a bare `return`), its end, and whether it is a generator."""

    values: tuple[ast.expr | None, ...]
    end: End
    generator: bool

    @property
    def returns_nothing(self) -> bool:
        """Whether it never returns a value, but does return."""
        nothing = all(value is None or _is_none(value) for value in self.values)
        return nothing and not self.generator and (bool(self.values) or self.end is End.REACHED)


def ending(node: Definition) -> Ending:
    """How a function ends."""
    own = list(_own(node))
    generator = any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own)
    values = tuple(each.value for each in own if isinstance(each, ast.Return))
    return Ending(values, end_of(node.body), generator)


def is_stub(node: Definition) -> bool:
    """Whether a function has no body of its own: a docstring, `...`, `pass`, or a raise of NotImplementedError."""
    rest = [each for each in node.body if not _is_nothing(each)]
    if len(rest) == 1 and isinstance(rest[0], ast.Raise) and rest[0].exc is not None:
        return "NotImplemented" in ast.dump(rest[0].exc)
    return not rest


def end_of(body: Sequence[ast.stmt]) -> End:
    """Whether the end of these statements is reached."""
    unsure = False
    for statement in body:
        end = _end(statement)
        if end is End.NEVER:
            return End.NEVER
        unsure = unsure or end is End.UNSURE
    return End.UNSURE if unsure else End.REACHED


def _end(node: ast.stmt) -> End:
    match node:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return End.NEVER
        case ast.If():
            return _either([end_of(node.body), end_of(node.orelse)])
        case ast.While(test=ast.Constant(value=value)) if value:
            breaks = any(isinstance(each, ast.Break) for each in _own(node))
            return End.UNSURE if breaks else End.NEVER
        case ast.With() | ast.AsyncWith():
            return End.REACHED if end_of(node.body) is End.REACHED else End.UNSURE
        case ast.Try():
            return _try(node)
        case ast.Match():
            ends = {end_of(case.body) for case in node.cases}
            return End.REACHED if End.REACHED in ends else End.UNSURE
        case ast.Assert(test=ast.Constant(value=False)):
            return End.UNSURE
        case ast.Expr(value=ast.Call()):
            # sys.exit() and its like; a call whose value nobody wants is often the last thing a function does.
            return End.REACHED
    return End.REACHED


def _try(node: ast.Try) -> End:
    if node.finalbody and end_of(node.finalbody) is not End.REACHED:
        return end_of(node.finalbody)
    return _either([end_of([*node.body, *node.orelse]), *(end_of(each.body) for each in node.handlers)])


def _either(ends: Sequence[End]) -> End:
    if End.REACHED in ends:
        return End.REACHED
    return End.UNSURE if End.UNSURE in ends else End.NEVER


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside a node, not inside a function or class of its own."""
    stack = list(ast.iter_child_nodes(node))
    while stack:
        each = stack.pop()
        yield each
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack += ast.iter_child_nodes(each)


def _is_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
