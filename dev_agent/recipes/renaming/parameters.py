"""What a parameter may be: the object or class of a method, what its annotation says, what a pytest fixture gives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import FunctionNode, Scope, method_class
from dev_agent.recipes.renaming.shapes import is_fixture, method_kind, yields
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    ForeignInstance,
    Function,
    Instance,
    Value,
    Values,
    unique,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator


class Parameters:
    """Says what callers may give."""

    def __init__(self, inference: Evaluator) -> None:
        self._inference = inference

    def value(self, node: ast.arg, scope: Scope) -> Values:
        """Return what a parameter of the function whose scope this is may be."""
        function = scope.node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return UNKNOWN
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        home = method_class(scope)
        if home is not None and positional and positional[0] is node:
            kind = method_kind(function)
            if kind != "staticmethod":
                return (Class(home),) if kind == "classmethod" else (Instance(home),)
        if node.annotation is None:
            return self._fixture(node.arg, scope, function)
        inner = scope.parent or scope
        value = self._inference.annotated(node.annotation, inner)
        if node is arguments.vararg:
            return (ForeignInstance("builtins.tuple", (value,)),)
        if node is arguments.kwarg:
            return (ForeignInstance("builtins.dict", ((), value)),)
        return value

    def _fixture(self, name: str, scope: Scope, function: FunctionNode) -> Values:
        """A parameter of a pytest test or fixture gets what the fixture of that name, nearest to it, gives."""
        if not (function.name.startswith("test") or is_fixture(function)):
            return UNKNOWN
        home = method_class(scope)
        if home is not None and name in home.bindings:
            return self._fixture_value(home, name)
        path = scope.source.path
        folder, keys = path.rpartition("/")[0], [key_of(path)]
        while True:
            keys.append(f"{folder}/conftest" if folder else "conftest")
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        for key in keys:
            for file in self._inference.project.files(key):
                if name in file.scope.bindings:
                    return self._fixture_value(file.scope, name)
        return UNKNOWN

    def _fixture_value(self, scope: Scope, name: str) -> Values:
        found: list[Value] = []
        for value in self._inference.bound(scope, name):
            if isinstance(value, Function) and is_fixture(value.node):
                result = self._inference.returned(value)
                found += (
                    self._inference.entered(result) if yields(value.node) and value.node.returns else result
                )
        return unique(found) or UNKNOWN
