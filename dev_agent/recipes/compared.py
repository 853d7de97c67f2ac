"""Which generics of `typing` a project holds against types at run time: there `list[int]` is not `List[int]`.

`typing.List[int] is list[int]` is False, and so is `get_origin(int | None) is Union` before 3.14. A recipe that
respells an annotation changes what such a comparison says of it, wherever the annotation stands. Two things count:

    a comparison, a key or a pattern, in any file    `origin is Union`, `{List: read_list}`, `case typing.Dict:`
    any value in a test file, for that file          `assert_types(C, x=List[int])`, `parametrize("t", [List[int]])`

Not a comparison against is one that knows today's form too: `origin in (list, List)`, and unions in a file that names
`UnionType`. Names are taken by what any import in the file may mean: too many rather than too few.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import aliases, last_name, type_arguments, written_types
from dev_agent.recipes.model import Place
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.files import Files

_MODULES: Final = frozenset({"typing", "typing_extensions"})
_UNIONS: Final = frozenset({"Optional", "Union"})
_TEST: Final = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$|(?:^|/)(?:tests?|testing)/")
_Names = Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Compared:
    """The names of `typing` held against types, each with one place where that is done.

    everywhere  names that no file may respell
    within      path of a test file -> names it may not respell itself
    """

    everywhere: _Names
    within: Mapping[str, _Names]

    @classmethod
    def read(cls, files: Files, likely: Callable[[bytes], bool], today: Mapping[str, str]) -> Compared:
        """What the files that look `likely` compare. `today`: names of `typing` -> the builtins that replace them."""
        everywhere: dict[str, Place] = {}
        within: dict[str, _Names] = {}
        for path, source in files.everything(likely):
            look = _Look(path, source.tree, source.text, today)
            for name, place in look.compared():
                everywhere.setdefault(name, place)
            if _TEST.search(path):
                within[path] = dict(look.values())
        return cls(everywhere, within)

    def place(self, path: str, name: str) -> Place | None:
        """Where a name is compared in such a way that the file at `path` must not respell it; None if nowhere."""
        names = _UNIONS if name in _UNIONS else {name}
        own = self.within.get(path, {})
        return next(
            (known[one] for known in (self.everywhere, own) for one in sorted(names) if one in known), None
        )


class _Look:
    """One file, and the local names that may mean something of `typing`."""

    def __init__(self, path: str, tree: ast.Module, text: str, today: Mapping[str, str]) -> None:
        self._path = path
        self._tree = tree
        self._today = today
        self._knows_unions = "UnionType" in text
        self._modules: set[str] = set()
        self._names: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._modules |= {each.asname or each.name for each in node.names if each.name in _MODULES}
            elif isinstance(node, ast.ImportFrom) and node.module in _MODULES:
                self._names.update({each.asname or each.name: each.name for each in node.names})

    def compared(self) -> Iterator[tuple[str, Place]]:
        """Names that stand in a comparison, in a pattern or as keys of a dictionary."""
        types = self._types()
        for node in ast.walk(self._tree):
            asked = _asked(node)
            known = {each.id for part in asked for each in ast.walk(part) if isinstance(each, ast.Name)}
            for part in asked:
                for name, each in self._said(part, types):
                    if self._today.get(name) not in known and not (name in _UNIONS and self._knows_unions):
                        yield name, self._place(name, each)

    def values(self) -> Iterator[tuple[str, Place]]:
        """Names that are used as values: neither in a type nor as a base class."""
        bases = {id(part) for node in ast.walk(self._tree) if isinstance(node, ast.ClassDef)
                 for base in node.bases for part in ast.walk(base)}  # fmt: skip
        for name, each in self._said(self._tree, self._types() | bases):
            yield name, self._place(name, each)

    def _types(self) -> set[int]:
        found = [*written_types(self._tree), *type_arguments(self._tree), *aliases(self._tree)]
        found += _plain_aliases(self._tree)
        return {id(part) for node in found for part in ast.walk(node)}

    def _said(self, within: ast.AST, types: Collection[int]) -> Iterator[tuple[str, ast.expr]]:
        for node in ast.walk(within):
            if isinstance(node, ast.Name | ast.Attribute) and id(node) not in types:
                name = self._name(node)
                if name:
                    yield name, node

    def _name(self, node: ast.Name | ast.Attribute) -> str:
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        return node.attr if last_name(node.value) in self._modules else ""

    def _place(self, name: str, node: ast.expr) -> Place:
        return Place(path=self._path, line=node.lineno, text=name)


def _asked(node: ast.AST) -> list[ast.expr]:
    """What a node holds something against."""
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    return [node.value] if isinstance(node, ast.MatchValue) else []


def _plain_aliases(tree: ast.Module) -> Iterator[ast.expr]:
    """`Name = Optional[int]` at the top of a file names a type; nothing is asked of it there."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            yield node.value
