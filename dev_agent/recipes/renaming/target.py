"""The symbol a rename is about: found by its name, grown to everything that must carry the same name.

A module-level name is a set of scopes in which it is that very object: its module's, and those of all modules that
import it under its own name. A member is a set of classes: the hierarchy through which a look-up of the name may pass.
A module is its files.
"""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.names import stars
from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import Scope, ScopeKind
from dev_agent.recipes.renaming.source import UnreadableError
from dev_agent.recipes.renaming.values import Foreign
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev_agent.recipes.renaming.infer import Inference


@dataclass(slots=True)
class Target:
    """Everything that is called `name` and must be called otherwise.

    scopes   where a bare name means it: of modules, of functions that import it, of classes that define it
    classes  the hierarchy: classes through which the member is reached (empty unless it is a member)
    modules  the module itself
    outside  classes from outside above the hierarchy, which may define the member too
    """

    name: str
    scopes: set[Scope] = field(default_factory=set)
    classes: set[Scope] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    outside: dict[str, Scope] = field(default_factory=dict)

    @property
    def member(self) -> bool:
        """True for a method, attribute, property or field."""
        return bool(self.classes)


class Growing:
    """Grows a target until nothing more belongs to it."""

    def __init__(self, inference: Inference, files: list[str]) -> None:
        self._inference = inference
        self._project = inference.project
        self._files = files

    def name(self, scopes: set[Scope], name: str) -> Target:
        """Return the target of a module-level name."""
        target = Target(name, scopes=set(scopes))
        self._imports(target)
        return target

    def module(self, key: str, name: str) -> Target:
        """Return the target of a module."""
        target = Target(name, modules={key})
        self._imports(target)
        return target

    def denotes(self, target: Target, key: str, name: str) -> bool:
        """Return whether a name taken from a module is the target."""
        if name != target.name:
            return False
        files = self._project.files(key)
        if any(file.scope in target.scopes for file in files):
            return True
        bound = any(name in file.scope.bindings for file in files)
        return not bound and any(one in target.modules for one in self._project.submodule(key, name))

    def _imports(self, target: Target) -> None:
        star_files = self._project.mentions(rb"import[ \t]*\*")
        grown = True
        while grown:
            before = len(target.scopes)
            for path in self._files:
                self._from_imports(target, path)
            for path in star_files:
                self._star_imports(target, path)
            grown = len(target.scopes) > before

    def _from_imports(self, target: Target, path: str) -> None:
        for visit in self._project.file(path).visits:
            node = visit.node
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (
                        alias.name == target.name
                        and alias.asname in {None, target.name}
                        and visit.scope.kind is not ScopeKind.CLASS
                    ):
                        keys = self._project.imported(node, path)
                        own = key_of(path) in keys and visit.scope.parent is None
                        submodule = any(
                            one in target.modules
                            for key in keys
                            for one in self._project.submodule(key, alias.name)
                        )
                        if (
                            (own and submodule)
                            or any(self.denotes(target, key, alias.name) for key in keys)
                            or (
                                not keys
                                and not node.level
                                and self._namespace(target, f"{node.module}.{alias.name}", path)
                            )
                        ):
                            target.scopes.add(visit.scope.owner(target.name) or visit.scope)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if (
                        alias.name == target.name
                        and not alias.asname
                        and self._namespace(target, alias.name, path)
                    ):
                        target.scopes.add(visit.scope.owner(target.name) or visit.scope)

    def _namespace(self, target: Target, dotted: str, path: str) -> bool:
        return any(key in target.modules for key in self._project.find(dotted, path))

    def _star_imports(self, target: Target, path: str) -> None:
        try:
            file = self._project.file(path)
        except UnreadableError:
            return
        for statement in stars(self._project, file.scope):
            for key in self._project.imported(statement, path):
                for other in self._project.files(key):
                    if other.scope in target.scopes and _exported(other.scope, target.name):
                        target.scopes.add(file.scope)

    # -- members -------------------------------------------------------------------------------------------------

    def member(self, start: set[Scope], name: str) -> Target:
        """Return the target of a member: all related classes that define it, up and down, and those between."""
        below = self._below()
        owners, classes, outside = set(start), set[Scope](), dict[str, Scope]()
        queue = list(start)
        while queue:
            one = queue.pop()
            if one in classes:
                continue
            classes.add(one)
            for other in [
                *self._inference.ancestors(one),
                *below.get(one, ()),
                *self._shape(one, name),
                *self._twins(one),
            ]:
                if isinstance(other, Foreign):
                    outside.setdefault(other.dotted, one)
                elif other not in classes and (other in below.get(one, ()) or self.defines(other, name)):
                    queue.append(other)
                    owners.add(other)
        return Target(
            name, scopes={one for one in owners if name in one.bindings}, classes=classes, outside=outside
        )

    @staticmethod
    def defines(scope: Scope, name: str) -> bool:
        """Return whether a class defines a member itself."""
        return name in scope.bindings or name in scope.members or name in slots(scope)

    def _below(self) -> dict[Scope, list[Scope]]:
        """Every class of the project that has bases, under each class above it."""
        below: dict[Scope, list[Scope]] = {}
        for path in self._project.mentions(rb"(?m)^[ \t]*class[ \t\\\r\n]"):
            try:
                file = self._project.file(path)
            except UnreadableError:
                continue
            for one in file.classes:
                for above in self._inference.ancestors(one)[1:]:
                    if isinstance(above, Scope):
                        below.setdefault(above, []).append(one)
        return below

    def _twins(self, scope: Scope) -> Iterator[Scope]:
        """The same class in the stub beside its module, and the other way round."""
        path, qualified = scope.source.path, scope.qualified
        for other in self._project.paths_of(key_of(path)):
            if other != path:
                for file in self._project.files(key_of(path)):
                    yield from (
                        one for one in file.classes if one is not scope and one.qualified == qualified
                    )

    def _shape(self, scope: Scope, name: str) -> Iterator[Scope]:
        """Protocols of the project that a class fits, or the classes that fit a Protocol, by the names of members."""
        own = self._names(scope)
        for path in self._files:
            for other in self._project.file(path).classes:
                if other is scope or not self.defines(other, name):
                    continue
                if (self._protocol(scope) and own <= self._names(other)) or (
                    self._protocol(other) and self._names(other) <= own
                ):
                    yield other

    def _names(self, scope: Scope) -> set[str]:
        names = set[str]()
        for one in self._inference.ancestors(scope):
            if isinstance(one, Scope):
                names |= {*one.bindings, *one.members}
        return {one for one in names if not one.startswith("__")}

    def _protocol(self, scope: Scope) -> bool:
        return any(
            isinstance(one, Foreign) and one.dotted.rpartition(".")[2] == "Protocol"
            for one in self._inference.bases(scope)
        )


def slots(scope: Scope, label: str = "__slots__") -> dict[str, list[ast.Constant]]:
    """Return the strings of `__slots__` (or `__match_args__`, `__all__`) in a scope's own body."""
    found: dict[str, list[ast.Constant]] = {}
    for statement in getattr(scope.node or scope.source.tree, "body", []):
        targets = (
            statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        )
        if any(isinstance(one, ast.Name) and one.id == label for one in targets) or (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and isinstance(statement.value.func, ast.Attribute)
            and isinstance(statement.value.func.value, ast.Name)
            and statement.value.func.value.id == label
        ):
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.setdefault(node.value, []).append(node)
    return found


def _exported(scope: Scope, name: str) -> bool:
    if "__all__" in scope.bindings:
        return name in slots(scope, "__all__")
    return not name.startswith("_")
