"""What a call gives: an object of a class, what a function returns, and what the usual callables of others give."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.scopes import Scope, ScopeKind, method_class
from dev_agent.recipes.renaming.shapes import decorated, is_fixture, own_nodes, yields
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Value,
    Values,
    made,
    unique,
    united,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator

_SAME = frozenset({"copy", "deepcopy", "replace", "closing", "cast"})
_ITERABLE_CALLS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "deque"})
_BUILTIN_TYPES = frozenset(
    f"builtins.{name}" for name, value in vars(builtins).items() if isinstance(value, type)
)


class Calls:
    """Looks at what is called, and at what with."""

    def __init__(self, inference: Evaluator) -> None:
        self._inference = inference

    def value(self, node: ast.Call, scope: Scope) -> Values:
        """Return what a call gives."""
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            return self._super(scope)
        found: list[Value] = []
        for callee in self._inference.evaluate(node.func, scope):
            if isinstance(callee, (Class, Function)):
                found += made((callee,)) if isinstance(callee, Class) else self.returned(callee)
            elif isinstance(callee, Foreign):
                found += self._foreign_call(callee, node, scope)
            elif isinstance(callee, ForeignInstance):
                found += _container_call(callee)
            else:
                found += UNKNOWN
        return unique(found) or UNKNOWN

    def _foreign_call(self, callee: Foreign, node: ast.Call, scope: Scope) -> Values:
        last = callee.dotted.rpartition(".")[2]
        first = node.args[0] if node.args else None
        if last == "super" and first is not None:
            return self._super(scope)
        if last == "cast" and len(node.args) == 2 and first is not None:
            return self._inference.annotated(first, scope)
        if last == "type" and first is not None and len(node.args) == 1:
            inner = self._inference.evaluate(first, scope)
            return tuple(Class(one.scope) for one in inner if isinstance(one, Instance)) or UNKNOWN
        if last in _SAME and first is not None:
            return self._inference.evaluate(first, scope)
        if last in _ITERABLE_CALLS:
            inner = (
                self._inference.elements(self._inference.evaluate(first, scope)) if first is not None else ()
            )
            return (ForeignInstance("builtins.list", (inner,)),)
        if last in {"next", "min", "max"} and first is not None:
            return self._inference.elements(self._inference.evaluate(first, scope))
        is_class = last[:1].isupper() or callee.dotted in _BUILTIN_TYPES
        return UNKNOWN if not is_class or "Mock" in last else (ForeignInstance(callee.dotted),)

    def _super(self, scope: Scope) -> Values:
        walk: Scope | None = scope
        while walk is not None:
            home = method_class(walk) if walk.kind is ScopeKind.FUNCTION else None
            if home is not None:
                return (Instance(home, of_super=True),)
            walk = walk.parent
        return UNKNOWN

    def returned(self, function: Function) -> Values:
        """Return what a call of a function gives, by its annotation or, without one, by its return statements."""
        node = function.node
        inner = self._inner_scope(function)
        if node.returns is not None:
            return self._inference.annotated(node.returns, function.scope, function.receiver)
        if inner is None or decorated(node):
            return UNKNOWN
        fixture = is_fixture(node)
        results = [
            one.value
            for one in own_nodes(node)
            if (isinstance(one, ast.Return) or (fixture and isinstance(one, ast.Yield)))
            and one.value is not None
        ]
        if not fixture and yields(node):
            return UNKNOWN
        return united(self._inference.evaluate(one, inner) for one in results)

    def _inner_scope(self, function: Function) -> Scope | None:
        return next(
            (
                visit.scope
                for visit in self._inference.project.file(function.scope.source.path).visits
                if visit.parent is function.node and visit.node in function.node.body
            ),
            None,
        )


def _container_call(callee: ForeignInstance) -> Values:
    """`d.values()`, `d.get(k)`, `d.items()`, `xs.pop()` of a container whose content is known."""
    method = callee.dotted.rpartition(".")[2]
    if method in {"get", "pop", "popleft", "setdefault"} and callee.arguments:
        return callee.arguments[-1]
    if method in {"values", "copy", "keys"} and callee.arguments:
        content = callee.arguments[0] if method == "keys" else callee.arguments[-1]
        return (ForeignInstance("builtins.list", (content,)),) if method != "copy" else UNKNOWN
    return UNKNOWN
