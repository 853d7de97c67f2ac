"""What names and expressions stand for, project-wide: imports followed, annotations read, simple assignments believed.

`evaluate` gives every value an expression may have that can be seen from the source; `Unknown` among them means that
there may be others. Nothing is executed. Where a type checker knows more, it is asked elsewhere.

The whole is put together here from its parts, each with a module of its own: names and parameters, annotations, calls,
containers, and the classes above a class. They ask each other through this (`evaluator.Evaluator`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.annotations import Annotations
from dev_agent.recipes.renaming.calls import Calls
from dev_agent.recipes.renaming.contents import Contents
from dev_agent.recipes.renaming.lineage import Lineage
from dev_agent.recipes.renaming.memo import Memo
from dev_agent.recipes.renaming.names import Names
from dev_agent.recipes.renaming.scopes import Binding, Scope, ScopeKind
from dev_agent.recipes.renaming.shapes import is_property
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Module,
    Value,
    Values,
    united,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.project import Project


class Inference:
    """Evaluates expressions of the project's files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._memo = Memo()
        self._calls, self._contents = Calls(self), Contents(self)
        # Bound rather than wrapped: the parts ask each other in deep recursion, and every wrapper would be a frame.
        names = Names(self, self._memo)
        self.name, self.bound, self.binding = names.name, names.bound, names.binding
        self.member_of_module = names.member_of_module
        annotations = Annotations(self, self._memo)
        self.annotated, self.keep = annotations.annotated, annotations.keep
        lineage = Lineage(self)
        self.members, self.ancestors, self.bases = lineage.members, lineage.ancestors, lineage.bases
        self.returned = self._calls.returned
        self.elements, self.entered = self._contents.elements, self._contents.entered

    def evaluate(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression read in a scope may be."""
        return self._memo.once(node, id(scope), lambda: self._evaluate(node, scope))

    def _evaluate(self, node: ast.expr, scope: Scope) -> Values:  # noqa: C901, PLR0911 - one line a kind
        if isinstance(node, ast.Name):
            return self.name(node.id, scope)
        if isinstance(node, ast.Attribute):
            return self.attribute(self.evaluate(node.value, scope), node.attr)
        if isinstance(node, ast.Call):
            return self._calls.value(node, scope)
        if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
            return self.evaluate(node.value, scope)
        if isinstance(node, ast.BoolOp):
            return united(self.evaluate(one, scope) for one in node.values)
        if isinstance(node, ast.IfExp):
            return united(self.evaluate(one, scope) for one in (node.body, node.orelse))
        if isinstance(node, ast.Constant):
            return (ForeignInstance(f"builtins.{type(node.value).__name__}"),)
        if isinstance(node, ast.JoinedStr):
            return (ForeignInstance("builtins.str"),)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return (
                ForeignInstance("builtins.list", (united(self.evaluate(one, scope) for one in node.elts),)),
            )
        if isinstance(node, ast.Dict):
            values = united(self.evaluate(one, scope) for one in node.values)
            return (ForeignInstance("builtins.dict", ((), values)),)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return (ForeignInstance("builtins.list", (UNKNOWN,)),)
        if isinstance(node, ast.DictComp):
            return (ForeignInstance("builtins.dict"),)
        if isinstance(node, ast.Subscript):
            return self._contents.subscript(node, scope)
        if isinstance(node, ast.Lambda):
            return (Foreign("types.LambdaType"),)
        return UNKNOWN

    def attribute(self, receivers: Values, name: str) -> Values:
        """Return what an attribute of these values may be."""
        return united(self._attribute(one, name) for one in receivers) or UNKNOWN

    def _attribute(self, receiver: Value, name: str) -> Values:
        if isinstance(receiver, Module):
            return self.member_of_module(receiver.key, name)
        if isinstance(receiver, Foreign):
            inner = self.project.find(f"{receiver.dotted}.{name}")
            return tuple(Module(key) for key in inner) or (Foreign(f"{receiver.dotted}.{name}"),)
        if isinstance(receiver, (Instance, Class)):
            if name == "__class__" and isinstance(receiver, Instance):
                return (Class(receiver.scope),)
            found, _ = self.members(receiver.scope, name)
            skip = isinstance(receiver, Instance) and receiver.of_super
            found = [one for one in found if not (skip and one[0] is receiver.scope)]
            return (
                united(self._member(one, name, receiver) for _, some in found[:1] for one in some) or UNKNOWN
            )
        return (
            UNKNOWN if not isinstance(receiver, ForeignInstance) else self._foreign_attribute(receiver, name)
        )

    def _foreign_attribute(self, receiver: ForeignInstance, name: str) -> Values:
        return (
            (ForeignInstance(f"{receiver.dotted}.{name}", receiver.arguments),)
            if receiver.arguments
            else UNKNOWN
        )

    def _member(self, binding: Binding, name: str, receiver: Instance | Class) -> Values:
        values = self.binding(binding, name)
        found: list[Value] = []
        for value in values:
            if isinstance(value, Function) and value.scope.kind is ScopeKind.CLASS:
                bound = Function(value.node, value.scope, receiver)
                found += (
                    self.returned(bound)
                    if is_property(value.node) and isinstance(receiver, Instance)
                    else [bound]
                )
            else:
                found.append(value)
        return tuple(found)
