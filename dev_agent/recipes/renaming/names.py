"""What a name stands for: where it is bound, what each binding gives it, through imports and star imports.

A name no scope of the file binds comes from a star import, or is a builtin, or is not known. What the right side of a
binding may be is left to the evaluator.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.parameters import Parameters
from dev_agent.recipes.renaming.project import Project, key_of
from dev_agent.recipes.renaming.scopes import Binding, How, Scope, ScopeKind
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    Function,
    Module,
    Value,
    Values,
    made,
    unique,
    united,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator
    from dev_agent.recipes.renaming.memo import Memo


class Names:
    """Looks names up in scopes and modules."""

    def __init__(self, inference: Evaluator, memo: Memo) -> None:
        self._inference, self._memo, self._project = inference, memo, inference.project
        self._parameters = Parameters(inference)
        self._class_of: dict[int, Scope] = {}

    def name(self, name: str, scope: Scope) -> Values:
        """Return what a name read in a scope stands for."""
        owner = scope.owner(name)
        if owner is None:
            found = self._starred(scope.module, name)
            if found:
                return found
            return (Foreign(f"builtins.{name}"),) if hasattr(builtins, name) else UNKNOWN
        return self.bound(owner, name)

    def bound(self, owner: Scope, name: str) -> Values:
        """Return what a name of a scope stands for, over all its bindings."""
        return self._memo.once(
            owner,
            name,
            lambda: united(self.binding(one, name) for one in owner.bindings.get(name, ())),
        )

    def member_of_module(self, key: str, name: str) -> Values:
        """Return what an attribute of a module stands for."""
        found: list[Value] = []
        for file in self._project.files(key):
            if name in file.scope.bindings:
                found += self.bound(file.scope, name)
            else:
                found += self._starred(file.scope, name)
        if not found:
            found += [Module(one) for one in self._project.submodule(key, name)]
        return unique(found) or UNKNOWN

    def _starred(self, module: Scope, name: str) -> Values:
        if name.startswith("__"):
            return ()
        return self._memo.once(module, ("*", name), lambda: self._star(module, name), ())

    def _star(self, module: Scope, name: str) -> Values:
        for statement in stars(self._project, module):
            for key in self._project.imported(statement, module.source.path):
                for file in self._project.files(key):
                    found = (
                        self.bound(file.scope, name)
                        if name in file.scope.bindings
                        else self._starred(file.scope, name)
                    )
                    if found:
                        return found
        return ()

    def binding(self, binding: Binding, name: str) -> Values:  # noqa: PLR0911 - one line a kind
        """Return what one binding gives a name."""
        node, scope = binding.node, binding.scope
        if binding.how is How.DEFINED:
            return self._defined(node, scope)
        if binding.how is How.IMPORTED and isinstance(node, ast.alias):
            return self._imported(binding, node, name)
        if binding.how is How.PARAMETER and isinstance(node, ast.arg):
            return self._parameters.value(node, scope)
        if not isinstance(node, ast.expr):
            return UNKNOWN
        if binding.how is How.ASSIGNED:
            return self._inference.evaluate(node, scope)
        if binding.how is How.ANNOTATED:
            return self._inference.annotated(node, scope)
        if binding.how is How.ITERATED:
            return self._inference.elements(self._inference.evaluate(node, scope))
        if binding.how is How.ENTERED:
            return self._inference.entered(self._inference.evaluate(node, scope))
        if binding.how is How.CAUGHT:
            parts = node.elts if isinstance(node, ast.Tuple) else [node]
            return united(made(self._inference.evaluate(part, scope)) for part in parts)
        if binding.how is How.MATCHED:
            return made(self._inference.evaluate(node, scope))
        return UNKNOWN

    def _defined(self, node: ast.AST, scope: Scope) -> Values:
        if isinstance(node, ast.ClassDef):
            found = self.class_scope(node, scope)
            return (Class(found),) if found else UNKNOWN
        return (
            (Function(node, scope),) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else UNKNOWN
        )

    def class_scope(self, node: ast.ClassDef, scope: Scope) -> Scope | None:
        """Return the scope of a class statement's body."""
        if id(node) not in self._class_of:
            for one in self._project.file(scope.source.path).classes:
                self._class_of[id(one.node)] = one
        return self._class_of.get(id(node))

    def _imported(self, binding: Binding, alias: ast.alias, name: str) -> Values:
        path = binding.scope.source.path
        statement = binding.statement
        if isinstance(statement, ast.ImportFrom):
            keys = self._project.imported(statement, path)
            if keys:
                return united(self._from(key, alias.name, binding) for key in keys)
            if statement.level:
                return UNKNOWN
            inner = self._project.find(f"{statement.module}.{alias.name}", path)
            return tuple(Module(key) for key in inner) or (Foreign(f"{statement.module}.{alias.name}"),)
        dotted = alias.name if alias.asname else name
        return tuple(Module(key) for key in self._project.find(dotted, path)) or (Foreign(dotted),)

    def _from(self, key: str, name: str, binding: Binding) -> Values:
        own = binding.scope.kind is ScopeKind.MODULE and key_of(binding.scope.source.path) == key
        if own:  # `from . import core` in the package itself reads the submodule
            return tuple(Module(one) for one in self._project.submodule(key, name)) or UNKNOWN
        return self.member_of_module(key, name)


def stars(project: Project, module: Scope) -> list[ast.ImportFrom]:
    """Return a module's star imports."""
    return [
        visit.node
        for visit in project.file(module.source.path).visits
        if isinstance(visit.node, ast.ImportFrom) and visit.node.names[0].name == "*"
    ]
