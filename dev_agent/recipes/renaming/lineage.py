"""The classes above a class, and who of them defines a member."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.scopes import Binding, Scope
from dev_agent.recipes.renaming.values import Class, Foreign

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator

HARMLESS = frozenset(
    {"builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC", "typing_extensions.Protocol"}
)


class Lineage:
    """Reads class statements."""

    def __init__(self, inference: Evaluator) -> None:
        self._inference = inference
        self._members: dict[tuple[int, str], tuple[list[tuple[Scope, list[Binding]]], bool]] = {}

    def members(self, scope: Scope, name: str) -> tuple[list[tuple[Scope, list[Binding]]], bool]:
        """Return who defines a member, nearest class first, and whether a class from outside may define it too."""
        known = (id(scope), name)
        if known not in self._members:
            found, outside = [], False
            for one in self.ancestors(scope):
                if isinstance(one, Scope):
                    bindings = [*one.bindings.get(name, ()), *one.members.get(name, ())]
                    if bindings:
                        found.append((one, bindings))
                else:
                    outside = outside or one.dotted not in HARMLESS
            self._members[known] = (found, outside)
        return self._members[known]

    def ancestors(self, scope: Scope) -> list[Scope | Foreign]:
        """Return a class and all classes above it, itself first; those from outside (or not known) by name."""
        found: list[Scope | Foreign] = []
        queue: list[Scope | Foreign] = [scope]
        while queue:
            one = queue.pop(0)
            if one not in found:
                found.append(one)
                if isinstance(one, Scope):
                    queue += self.bases(one)
        return found

    def bases(self, scope: Scope) -> list[Scope | Foreign]:
        """Return the classes a class statement derives from."""
        node, found = scope.node, list[Scope | Foreign]()
        if not isinstance(node, ast.ClassDef):
            return found
        outer = scope.parent or scope
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            for value in self._inference.evaluate(plain, outer):
                if isinstance(value, Class):
                    found.append(value.scope)
                else:
                    found.append(Foreign(value.dotted if isinstance(value, Foreign) else ast.unparse(plain)))
        return found
