"""The Python files of a tree as modules: which module a name means, and files parsed when they are asked for.

A module is named by its path without suffix, so `core.py` and its stub `core.pyi` are one. Its dotted names: from
the first folder upwards without `__init__`, and, for namespace packages and paths put on `sys.path`, from every folder
above.
Files that do not contain an identifier's bytes are not parsed for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.source import Source, UnreadableError
from dev_agent.recipes.renaming.walking import Walked, walked

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from dev_agent.recipes.model import Bench

_SUFFIXES = (".py", ".pyi")
_INIT = "/__init__"
_MOST_BYTES = 5_000_000


class Project:
    """The modules of a tree."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.paths = [
            path
            for path in bench.tree.paths()
            if path.endswith(_SUFFIXES) and (bench.tree.mode(path) or "").startswith("100")
        ]
        self._files: dict[str, list[str]] = {}
        for path in self.paths:
            self._files.setdefault(path.rpartition(".")[0], []).append(path)
        self._contents: dict[str, bytes] = {}
        self._walked: dict[str, Walked | UnreadableError] = {}
        self._names: dict[str, list[str]] = {}
        self._dotted: dict[str, str] = {}
        for key in self._files:
            for depth, name in enumerate(self._spellings(key)):
                self._names.setdefault(name, []).insert(0 if depth == 0 else len(self._names[name]), key)
                if depth == 0:
                    self._dotted[key] = name

    def _spellings(self, key: str) -> list[str]:
        folder, _, last = key.rpartition("/")
        parts = [] if last == "__init__" else [last]
        while folder and self.package(folder):
            folder, _, last = folder.rpartition("/")
            parts.insert(0, last)
        names = [".".join(parts)] if parts else []
        while folder:
            folder, _, last = folder.rpartition("/")
            parts.insert(0, last)
            names.append(".".join(parts))
        return names

    def package(self, folder: str) -> bool:
        """Return whether a folder has an `__init__`."""
        return (folder + _INIT if folder else "__init__") in self._files

    def content(self, path: str) -> bytes:
        """Return a file's bytes."""
        if path not in self._contents:
            self._bench.pause()
            self._contents[path] = self._bench.tree.read(path)
        return self._contents[path]

    def mentions(self, *patterns: bytes) -> list[str]:
        """Return the Python files with a match of all patterns (regular expressions on bytes)."""
        compiled = [re.compile(pattern) for pattern in patterns]
        return [path for path in self.paths if all(one.search(self.content(path)) for one in compiled)]

    def file(self, path: str) -> Walked:
        """Return a file, parsed. Raises UnreadableError."""
        if path not in self._walked:
            content = self.content(path)
            try:
                if len(content) > _MOST_BYTES:
                    raise UnreadableError("it is too long")
                self._walked[path] = walked(Source(path, content))
            except UnreadableError as error:
                self._walked[path] = error
            except RecursionError:
                self._walked[path] = UnreadableError("it is nested too deeply")
        found = self._walked[path]
        if isinstance(found, UnreadableError):
            raise found
        return found

    def files(self, key: str) -> list[Walked]:
        """Return a module's readable files, the stub last."""
        found = []
        for path in sorted(self._files.get(key, ())):
            try:
                found.append(self.file(path))
            except UnreadableError:
                continue
        return found

    def paths_of(self, key: str) -> list[str]:
        """Return the paths of a module's files."""
        return self._files.get(key, [])

    def dotted(self, key: str) -> str:
        """Return the dotted name of a module."""
        return self._dotted.get(key, "")

    def modules(self) -> Iterator[tuple[str, str]]:
        """Yield (module, dotted name) of all."""
        yield from self._dotted.items()

    def find(self, dotted: str, near: str = "") -> list[str]:
        """Return the modules an absolute name may mean; the one beside file `near` alone, if there is one."""
        found = self._names.get(dotted, [])
        if len(found) < 2:
            return found
        folder = near.rpartition("/")[0]
        beside = [key for key in found if _folder(key) == folder]
        primary = [key for key in found if self._dotted[key] == dotted]
        return beside or primary or found

    def submodule(self, key: str, name: str) -> list[str]:
        """Return the module `name` in package `key`."""
        if not key.endswith(_INIT):
            return []
        folder = key.removesuffix(_INIT)
        return [one for one in (f"{folder}/{name}{_INIT}", f"{folder}/{name}") if one in self._files][:1]

    def imported(self, node: ast.ImportFrom, path: str) -> list[str]:
        """Return the modules a `from ... import` statement in file `path` reads from."""
        if not node.level:
            return self.find(node.module or "", path)
        return self.relative(path, node.level, (node.module or "").split(".") if node.module else [])

    def relative(self, path: str, level: int, parts: list[str]) -> list[str]:
        """Return the module that many dots and these parts mean in file `path`."""
        folder = path.split("/")[:-level]
        base = "/".join([*folder, *parts])
        return [one for one in (base + _INIT, base) if one in self._files][:1]


def key_of(path: str) -> str:
    """Return the module a Python file belongs to."""
    return path.rpartition(".")[0]


def _folder(key: str) -> str:
    return key.removesuffix(_INIT).rpartition("/")[0]


def word(name: str) -> bytes:
    """Return the expression that finds an identifier in a file's bytes."""
    return rb"(?<![0-9A-Za-z_])" + re.escape(name.encode()) + rb"(?![0-9A-Za-z_])"
