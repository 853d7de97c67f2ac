"""Names of a module that other files of the project reach for: an import there may be somebody's export here.

Read by the last part of the module's name only, so `from a.b import N`, `b.N`, `import a.b as c; c.N` and the string
"a.b.N" (as `mock.patch` takes it) all count for every module called b: too many rather than too few.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import last_name
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.files import Files

_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:[.:][^\W\d]\w*)+")


@dataclass(frozen=True, slots=True)
class Reached:
    """Pairs of a module's last name and a name in it; modules whose names are all taken with `*`."""

    names: frozenset[tuple[str, str]]
    starred: frozenset[str]

    def takes(self, path: str, name: str) -> bool:
        """Whether some file reaches for a name of the module at a path."""
        module = module_name(path)
        return module in self.starred or (module, name) in self.names


def module_name(path: str) -> str:
    """The last part of the name of the module at a path: a package's is its folder."""
    parts = path.rsplit(".", 1)[0].split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]


def reached(files: Files, modules: set[str]) -> Reached:
    """What files of the project take from modules of these names."""
    likely = re.compile(rb"\b(?:" + b"|".join(sorted(re.escape(name.encode()) for name in modules)) + rb")\b")
    names: set[tuple[str, str]] = set()
    starred: set[str] = set()
    for _path, source in files.everything(lambda content: likely.search(content) is not None):
        called = dict(_aliases(source.tree))
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
                starred.add((node.module or "").rpartition(".")[2])
            names.update(_pairs(node, called))
    return Reached(frozenset(names), frozenset(starred))


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((each.asname, each.name.rpartition(".")[2]) for each in node.names if each.asname)


def _pairs(node: ast.AST, called: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from ((node.module.rpartition(".")[2], each.name) for each in node.names)
    elif isinstance(node, ast.Attribute):
        module = last_name(node.value)
        yield called.get(module, module), node.attr
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        for dotted in _DOTTED.findall(node.value):
            yield from pairwise(re.split(r"[.:]", dotted))
    elif isinstance(node, ast.Call) and len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
        # getattr(module, "name"), monkeypatch.setattr(module, "name", ...)
        module = last_name(node.args[0])
        yield called.get(module, module), str(node.args[1].value)
