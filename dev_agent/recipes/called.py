"""What names of a file stand for, as far as that is certain.

A name is certain if imports at the top of the file bind it to one thing and nothing else in the file binds it. The name
of a builtin is certain if nothing in the file binds it: a method called `list` makes `list[int]` in its class mean
something else.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.bindings import imports, rebound
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.source import Source


@dataclass(frozen=True, slots=True)
class Called:
    """Local names and what they stand for: `t` -> `typing`, `List` -> `typing.List`.

    taken   names that are bound in any way
    always  names that an import binds under no condition (`if TYPE_CHECKING:` is one)
    """

    of: dict[str, str]
    taken: frozenset[str]
    always: frozenset[str]

    @classmethod
    def read(cls, source: Source) -> Called:
        """What the names of a file stand for."""
        targets: dict[str, set[str]] = {}
        otherwise = rebound(source.tree)
        always: set[str] = set()
        for bound in imports(source.tree):
            if isinstance(bound.scope, ast.Module):
                targets.setdefault(bound.name, set()).add(bound.target)
            else:
                otherwise.add(bound.name)
            if isinstance(bound.owner, ast.Module):
                always.add(bound.name)
        certain = {
            name: next(iter(target))
            for name, target in targets.items()
            if len(target) == 1 and name not in otherwise
        }
        return cls(certain, frozenset(otherwise | set(targets)), frozenset(always))

    def full(self, node: ast.AST) -> str:
        """The dotted name an expression stands for: `typing.List` for `t.List`; "" if that is not certain."""
        if isinstance(node, ast.Name):
            return self.of.get(node.id, "")
        if isinstance(node, ast.Attribute):
            value = self.full(node.value)
            return f"{value}.{node.attr}" if value else ""
        return ""

    def typing(self, node: ast.AST) -> str:
        """The name of `typing` an expression stands for, "" if none."""
        module, _, name = self.full(node).rpartition(".")
        return name if module in {"typing", "typing_extensions"} else ""

    def builtin(self, name: str) -> bool:
        """Whether the name is certain to be the builtin's."""
        return name not in self.taken

    def local(self, module: str, name: str, *, evaluated: bool = True) -> str | None:
        """What to write for `module.name`: what there is, or its own name if that is free; None if neither.

        `evaluated`: where it is written is evaluated when the module runs, so it must be there then.
        """
        for local, target in self.of.items():
            if local in self.always or not evaluated:
                if target == f"{module}.{name}":
                    return local
                if target == module and "." not in module and module != "typing":
                    return f"{local}.{name}"
        return name if name not in self.taken else None


def postponed(tree: ast.Module) -> bool:
    """Whether annotations of this file are not evaluated when it is run (`from __future__ import annotations`)."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
