"""Which files of a tree import which, read from their text, and how near a test is to a change. Pure.

An estimate: imports made at run time are seen where they name their module in so many words, and a file that does
not parse (it may be written for a newer Python than dev-agent's) imports whatever its lines say. Names
are looked up as the import system would find them from any of the given roots; the packages around an imported module
count as imported too, and so does a conftest above a test.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from dev_agent.python_text import parsed

_LOADERS = frozenset({"import_module", "__import__", "resolve_name", "run_module"})
_BEFORE = r"(?:^|[;:])[ \t]*"
_REST = r"(?:\\\n|[^\n;])*+"
# Nothing repeated here gives back what it took: a page of spaces behind `from` would be tried in every division.
_FROM = re.compile(
    _BEFORE
    + r"from(?=[\s.])\s*+(\.*+)\s*+((?!import\b)[\w.]*+|)\s*+\bimport\b\s*+"
    + rf"(\((?:#[^\n]*+|[^)#]++)*+\)?|{_REST})",
    re.MULTILINE,
)
_IMPORT = re.compile(_BEFORE + rf"import\b({_REST})", re.MULTILINE)
_LOADING = re.compile(rf"\b(?:{'|'.join(sorted(_LOADERS))})\s*\(\s*['\"]([\w.]+)")

RawImport = tuple[int, str, tuple[str, ...]]
"""Dots in front, module, names: `from ..a.b import c, d` is (2, "a.b", ("c", "d"))."""


def imports_of(source: bytes) -> tuple[RawImport, ...]:
    """The imports of a file, wherever in it they stand."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tuple(dict.fromkeys(_written(source.decode("utf-8", "replace"))))
    found: dict[RawImport, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(((0, one.name, ()), None) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            found[node.level, node.module or "", tuple(one.name for one in node.names)] = None
        elif isinstance(node, ast.Call):
            found.update((one, None) for one in _loaded(node))
    return tuple(found)


def _written(text: str) -> Iterator[RawImport]:
    """What looks like an import, in strings and comments too: rather one too many."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for found in _FROM.finditer(text):
        yield len(found[1]), found[2], tuple(re.findall(r"\w+", found[3]))
    for found in _IMPORT.finditer(text):
        yield from ((0, one, ()) for one in re.findall(r"\w[\w.]*", found[1]))
    for found in _LOADING.finditer(text):
        yield 0, found[1], ()


def _loaded(call: ast.Call) -> Iterator[RawImport]:
    """The module that `import_module("acme.tests")` and its like name."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    first = call.args[0] if call.args else None
    if name in _LOADERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        module = first.value.partition(":")[0]
        plain = module.lstrip(".")
        yield len(module) - len(plain), plain, ()


class ImportGraph:
    """The imports among the Python files of one tree."""

    def __init__(self, imports: Mapping[str, Sequence[RawImport]], roots: Iterable[str]) -> None:
        self._by_place = {_place(path): path for path in imports}
        self._roots = tuple(dict.fromkeys(roots))
        self._importers: dict[str, set[str]] = {}
        for path, raw in imports.items():
            for imported in self._imported(path, raw):
                self._importers.setdefault(imported, set()).add(path)

    def nearest(self, changed: Iterable[str], wanted: Collection[str]) -> tuple[str, ...]:
        """Those of `wanted` that import a changed file, directly or not, the shortest way first."""
        distance: dict[str, int] = {}
        rim, steps = set(changed), 0
        while rim:
            distance.update(dict.fromkeys(rim, steps))
            rim = {one for path in rim for one in self._importers.get(path, ())} - distance.keys()
            steps += 1
        return tuple(sorted((one for one in wanted if one in distance), key=lambda one: (distance[one], one)))

    def _imported(self, path: str, raw: Sequence[RawImport]) -> set[str]:
        places = {f"{folder}/conftest".removeprefix("./") for folder in PurePosixPath(path).parents}
        own = PurePosixPath(path).parent
        for level, module, names in raw:
            starts = (
                [own.joinpath(*[".."] * (level - 1))] if level else [own, *map(PurePosixPath, self._roots)]
            )
            parts = module.split(".") if module else []
            for start in starts:
                places |= {_plain(start.joinpath(*parts[:end])) for end in range(1, len(parts) + 1)}
                places |= {_plain(start.joinpath(*parts, one)) for one in names}
                if not parts:
                    places.add(_plain(start))
        return {self._by_place[one] for one in places if one in self._by_place} - {path}


def _place(path: str) -> str:
    """Where imports find the file: its path without the suffix, a package's `__init__` being the package."""
    return path.removesuffix(".py").removesuffix("/__init__")


def _plain(path: PurePosixPath) -> str:
    return os.path.normpath(path)
