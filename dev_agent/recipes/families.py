"""Methods that stand for each other: those of one name in classes related by inheritance, as the project's text tells.

Classes are related by the last part of their bases' names; too many rather than too few. A method is sure of its
return type only if all its relatives agree: else `-> None` on a base would forbid what a subclass returns.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.recipes.annotated import last_name
from dev_agent.recipes.endings import Definition, ending, is_stub
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.files import Files


@dataclass(slots=True)
class Families:
    """Which class names are related, and which of their methods return something."""

    _parent: dict[str, str] = field(default_factory=dict)
    _having: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _speaking: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, files: Files) -> Families:
        """The families of all classes of a project."""
        families = cls()
        for _path, source in files.everything(lambda content: b"class " in content):
            for node in ast.walk(source.tree):
                if isinstance(node, ast.ClassDef):
                    families._add(node)
        return families

    def all_silent(self, owner: str, method: str) -> bool:
        """Whether no class related to this one has a method of that name that returns a value or may do so."""
        root = self._root(owner)
        return not any(self._root(name) == root for name in self._speaking.get(method, ()))

    def shared(self, owner: str, method: str) -> bool:
        """Whether a class related to this one has a method of that name too."""
        root = self._root(owner)
        return any(name != owner and self._root(name) == root for name in self._having.get(method, ()))

    def _add(self, node: ast.ClassDef) -> None:
        for base in (each.value if isinstance(each, ast.Subscript) else each for each in node.bases):
            # Everything is related through these, which says nothing.
            if last_name(base) not in {
                node.name,
                "object",
                "ABC",
                "Protocol",
                "Generic",
                "Exception",
                "NamedTuple",
                "Enum",
                "",
            }:
                child, parent = self._root(node.name), self._root(last_name(base))
                if child != parent:
                    self._parent[child] = parent
        for method in _methods(node):
            self._having[method.name].add(node.name)
            if _speaks(method):
                self._speaking[method.name].add(node.name)

    def _root(self, name: str) -> str:
        while name in self._parent:
            name = self._parent[name]
        return name


def _methods(node: ast.ClassDef) -> Iterator[Definition]:
    return (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def _speaks(node: Definition) -> bool:
    if node.returns is not None:
        return not (isinstance(node.returns, ast.Constant) and node.returns.value in {None, "None"})
    how = ending(node)
    return how.generator or not (how.returns_nothing or is_stub(node))
