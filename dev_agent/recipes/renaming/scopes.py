"""The scopes of a file: which names each binds, to what, and whose a name is that is read in one.

What binds them is found by `walking.py`.
"""

from __future__ import annotations

import ast
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev_agent.recipes.renaming.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class ScopeKind(Enum):
    """What a scope belongs to."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    COMPREHENSION = "comprehension"
    TYPE_PARAMETERS = "type parameters"


class How(Enum):
    """How a name gets its value; `Binding.node` is the thing named here."""

    DEFINED = "def or class statement"
    IMPORTED = "alias of an import statement"
    ASSIGNED = "expression assigned"
    ANNOTATED = "annotation"
    ITERATED = "iterable"
    ENTERED = "context manager"
    PARAMETER = "parameter"
    CAUGHT = "exception type"
    MATCHED = "class of a class pattern"
    OPAQUE = "something else"


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One place where a name is bound, read in `scope`."""

    how: How
    node: ast.AST
    scope: Scope
    line: int
    statement: ast.Import | ast.ImportFrom | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """A scope. `name` is the class's or function's; `members` what methods assign to `self`."""

    kind: ScopeKind
    source: Source
    parent: Scope | None = None
    node: ast.AST | None = None
    name: str = ""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    members: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, bool] = field(default_factory=dict)
    """Names declared global (True) or nonlocal (False)."""

    @property
    def module(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def qualified(self) -> str:
        """The name with those of the scopes around it: "Outer.Inner"; empty for a module."""
        parts = []
        scope: Scope | None = self
        while scope is not None and scope.parent is not None:
            parts.append(scope.name)
            scope = scope.parent
        return ".".join(part for part in reversed(parts) if part)

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding, in the scope where Python puts it."""
        target: Scope = self
        if name in self.outer:
            target = self.module if self.outer[name] else self.owner(name) or self.module
        target.bindings.setdefault(name, []).append(binding)

    def owner(self, name: str) -> Scope | None:
        """Return the scope a name read here belongs to; None for one that no scope of the file binds."""
        scope: Scope | None = self
        while scope is not None:
            if scope.outer.get(name):
                return self.module if name in self.module.bindings else None
            if self._sees(scope) and name in scope.bindings and name not in scope.outer:
                return scope
            scope = scope.parent
        return None

    def between(self, owner: Scope) -> Iterator[Scope]:
        """Yield the scopes a look-up passes from here before it comes to `owner`."""
        scope: Scope | None = self
        while scope is not None and scope is not owner:
            if self._sees(scope):
                yield scope
            scope = scope.parent

    def _sees(self, around: Scope) -> bool:
        """Whether a scope around this one, or this one, shows its names to it."""
        late = self.kind is ScopeKind.TYPE_PARAMETERS and around is self.parent
        return around is self or late or around.kind is not ScopeKind.CLASS


def method_class(scope: Scope) -> Scope | None:
    """Return the class whose method's scope this is."""
    parent = scope.parent
    if parent is not None and parent.kind is ScopeKind.TYPE_PARAMETERS:
        parent = parent.parent
    return parent if parent is not None and parent.kind is ScopeKind.CLASS else None
