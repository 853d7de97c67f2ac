"""Lets a mypy plugin that lies in the repository import the base's files, whichever tree is being checked.

The base's configuration names the plugin; what the plugin imports judges as much as it does itself. So no import in the
type checker's process finds a module of the judged tree: it finds the base's, shown elsewhere, or none. Untracked files
that the settings include are nobody's change and stay where they are. Standard library only, Python 3.8+.
"""

# No pathlib, to start fast.
# ruff: noqa: PTH100, PTH118
from __future__ import annotations

import importlib.machinery
import os
import sys
from typing import Any, List, Optional


class FromBase:
    """Finds in `base` what a search of `root` would have to find; `outside` lies in `root` and is not searched anew."""

    def __init__(self, root: str, base: str, *, outside: List[str], included: List[str]) -> None:
        self._root = root
        self._base = base
        self._outside = tuple(os.path.join(one, "") for one in outside)
        self._included = frozenset(included)

    def find_spec(
        self,
        name: str,
        path: Any = None,
        target: Any = None,  # noqa: ARG002
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """The spec of a module that Python would look for in the judged tree, None for any other.

        Raises ModuleNotFoundError for one that only the judged tree has.
        """
        entries = [one for one in (sys.path if path is None else path) if isinstance(one, str)]
        moved = [self._moved(one) for one in entries]
        if moved == entries:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, moved)
        if spec is not None:
            return spec
        found = importlib.machinery.PathFinder.find_spec(name, entries)
        if found is not None and found.origin not in self._included:
            raise ModuleNotFoundError("%r is not a module of the base" % name, name=name)
        return found

    def _moved(self, entry: str) -> str:
        full = os.path.join(os.path.abspath(entry), "")
        if not full.startswith(os.path.join(self._root, "")) or full.startswith(self._outside):
            return entry
        return os.path.normpath(os.path.join(self._base, os.path.relpath(full, self._root)))


def import_from_base(finder: FromBase) -> None:
    """Ask `finder` before Python's own search of paths, and after what is built in."""
    plain = sys.meta_path.index(importlib.machinery.PathFinder)
    sys.meta_path.insert(plain, finder)
