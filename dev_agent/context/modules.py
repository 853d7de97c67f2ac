"""Python module names and the files that hold them, for one listing of paths."""

from __future__ import annotations

from collections.abc import Iterable

_INIT = "__init__.py"


class Modules:
    """Names both ways. A package's top is the outermost folder of a chain of folders that have an `__init__.py`."""

    def __init__(self, paths: Iterable[str]) -> None:
        python = sorted(path for path in paths if path.endswith(".py"))
        packages = {path.rpartition("/")[0] for path in python if path.endswith(_INIT)}
        self._names = {path: _name(path, packages) for path in python}
        self._paths: dict[str, str] = {}
        for path, name in self._names.items():
            self._paths.setdefault(name, path)

    def name_of(self, path: str) -> str:
        """The dotted name of the module in a file, "" for what is none."""
        return self._names.get(path, "")

    def path_of(self, name: str) -> str | None:
        """The file of a module, or of the module that a dotted name's beginning names."""
        while name:
            if name in self._paths:
                return self._paths[name]
            name = name.rpartition(".")[0]
        return None

    def imported(self, path: str, imports: Iterable[str]) -> dict[str, None]:
        """The files that the imports written in `path` name, in order."""
        found: dict[str, None] = {}
        package = self._package(path)
        for one in imports:
            target = self.path_of(_absolute(one, package))
            if target and target != path:
                found[target] = None
        return found

    def _package(self, path: str) -> str:
        name = self.name_of(path)
        return name if path.endswith(_INIT) else name.rpartition(".")[0]


def _name(path: str, packages: set[str]) -> str:
    parts = path.removesuffix(".py").split("/")
    top = len(parts) - 1
    while top > 0 and "/".join(parts[:top]) in packages:
        top -= 1
    name = ".".join(parts[top:])
    return name.removesuffix(".__init__")


def _absolute(name: str, package: str) -> str:
    bare = name.lstrip(".")
    for _ in range(len(name) - len(bare) - 1):
        package = package.rpartition(".")[0]
    if bare == name:
        return name
    return f"{package}.{bare}" if package and bare else package or bare
