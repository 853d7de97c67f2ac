"""What an annotation promises: classes, unions, quoted text, the usual generics, aliases, `Self`.

A container of the standard library becomes a foreign instance that remembers what is in it, which is all that is
needed to follow `for`, `with` and subscripts.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.scopes import How, Scope, ScopeKind
from dev_agent.recipes.renaming.shapes import own_name
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    ForeignInstance,
    Instance,
    Unknown,
    Value,
    Values,
    made,
    unique,
    united,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator
    from dev_agent.recipes.renaming.memo import Memo

_TRANSPARENT = frozenset(
    {"Optional", "Union", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "InitVar", "ReadOnly"}
)


class Annotations:
    """Reads annotations, in the scope they are written in."""

    def __init__(self, inference: Evaluator, memo: Memo) -> None:
        self._inference, self._memo = inference, memo
        self._kept: list[ast.AST] = []

    def keep(self, node: ast.AST) -> None:
        """Keep a tree made aside: what is known of an expression is kept by its id, which must stay taken."""
        self._kept.append(node)

    def annotated(self, node: ast.expr, scope: Scope, receiver: Instance | Class | None = None) -> Values:
        """Return what a thing with this annotation may be."""
        if isinstance(node, ast.Constant):
            return self._annotation_text(node.value, scope, receiver)
        if isinstance(node, ast.BinOp):
            return united(self.annotated(one, scope, receiver) for one in _united_by(node))
        if isinstance(node, ast.Subscript):
            return self._generic(node, scope, receiver)
        values = self._inference.evaluate(node, scope)
        last = own_name(node)
        if last == "Self":
            return (Instance(receiver.scope),) if receiver is not None else self._enclosing(scope)
        if last in {"Any", "object"}:
            return UNKNOWN
        alias = self._alias(node, scope)
        return alias or made(values)

    def _alias(self, node: ast.expr, scope: Scope) -> Values:
        """A name bound to `A | B`, `Optional[A]` or a TypeVar, a type parameter's too, means what those mean."""
        owner = scope.owner(node.id) if isinstance(node, ast.Name) else None
        if owner is None or not isinstance(node, ast.Name):
            return ()
        found: list[Value] = []
        for one in owner.bindings[node.id]:
            value = one.node
            if type(value).__name__ == "TypeVar":  # `[T: A]`: no node of Python 3.11
                limit: ast.expr | None = getattr(value, "bound", None)
                found += self.annotated(limit, one.scope) if limit else UNKNOWN
            if one.how is not How.ASSIGNED or value is node:
                continue
            if isinstance(value, (ast.BinOp, ast.Subscript)):
                found += self._memo.once(value, 1, partial(self.annotated, value, one.scope))
            elif isinstance(value, ast.Call) and own_name(value.func) == "TypeVar":
                bound = [each.value for each in value.keywords if each.arg == "bound"]
                found += self.annotated(bound[0], one.scope) if bound else UNKNOWN
        return unique(found)

    def _annotation_text(self, value: object, scope: Scope, receiver: Instance | Class | None) -> Values:
        if not isinstance(value, str):
            return (ForeignInstance("builtins.NoneType"),)
        try:
            inner = ast.parse(value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return UNKNOWN
        self.keep(inner)  # what is known of an expression is kept by its id, which must stay taken
        return self.annotated(inner, scope, receiver)

    def _generic(self, node: ast.Subscript, scope: Scope, receiver: Instance | Class | None) -> Values:
        base = node.value
        last = own_name(base)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if last in _TRANSPARENT:
            return united(
                self.annotated(one, scope, receiver) for one in (parts[:1] if last == "Annotated" else parts)
            )
        if last in {"type", "Type"}:
            inner = self.annotated(parts[0], scope, receiver)
            return tuple(Class(one.scope) if isinstance(one, Instance) else Unknown() for one in inner)
        if last in {"Literal", "Callable"}:
            return (Foreign(f"typing.{last}"),) if last == "Literal" else UNKNOWN
        if last in {"Awaitable", "Coroutine"}:
            return self.annotated(parts[-1], scope, receiver)
        results = made(self._inference.evaluate(base, scope))
        if any(isinstance(one, Instance) for one in results):
            return results
        arguments = tuple(self.annotated(one, scope, receiver) for one in parts)
        if last in {"tuple", "Tuple"}:
            arguments = (united(arguments),)
        return (
            tuple(
                ForeignInstance(one.dotted, arguments) for one in results if isinstance(one, ForeignInstance)
            )
            or UNKNOWN
        )

    @staticmethod
    def _enclosing(scope: Scope) -> Values:
        walk: Scope | None = scope
        while walk is not None:
            if walk.kind is ScopeKind.CLASS:
                return (Instance(walk),)
            walk = walk.parent
        return UNKNOWN


def _united_by(node: ast.BinOp) -> list[ast.expr]:
    """The members of `A | B | C`, in order: hundreds of them are nested as deep, too deep to be followed by calls."""
    members: list[ast.expr] = []
    rest: ast.expr = node
    while isinstance(rest, ast.BinOp):
        members.append(rest.right)
        rest = rest.left
    return [rest, *reversed(members)]
