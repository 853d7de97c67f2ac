"""Where modules come from in a test process, in an order that neither the change nor a stray copy can turn.

    standard library | roots of the staged tree | site-packages of the environment | what `.pth` files add | lent

The staged source wins over an installed copy of itself, and cannot stand in front of the standard library or
of pytest, which is imported before the roots are there. Standard library only, Python 3.8+.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PTH112, PTH118, PTH208
from __future__ import annotations

import importlib.machinery
import os
import site
import sys
from typing import Any, Dict, Iterable, List, Optional, Set


def use_prefix(prefix: str) -> None:
    """Make the interpreter know its virtual environment, as `site` would have (it was kept out by -S)."""
    sys.prefix = sys.exec_prefix = prefix
    site.PREFIXES[:] = [prefix]
    site.ENABLE_USER_SITE = False
    for name in ("setquit", "setcopyright", "sethelper"):
        getattr(site, name)()


def add_tools(site_dirs: List[str], lent: List[str]) -> int:
    """Site directories without their `.pth` files, then what dev-agent lends; returns where they start."""
    start = len(sys.path)
    sys.path.extend(site_dirs)
    sys.path.extend(lent)
    return start


def add_roots(root: str, roots: List[str], start: int) -> None:
    """The staged roots, in front of the site directories."""
    sys.path[start:start] = [os.path.normpath(os.path.join(root, one)) for one in roots]


def add_site(site_dirs: List[str]) -> None:
    """What the site directories' `.pth` files add, behind everything."""
    for folder in site_dirs:
        site.addsitedir(folder)


class StandardFirst:
    """Finds top-level standard modules in the standard library only, wherever else a file has their name.

    pytest puts the directories of tests in front of sys.path, as scripts do; a new `random.py` beside a test
    would otherwise replace the real one in the middle of a run.
    """

    def __init__(self, exempt: Iterable[str]) -> None:
        self._folders = [one for one in sys.path if os.path.isdir(one)]
        self._names = _standard_names(self._folders) - set(exempt)

    def find_spec(
        self,
        name: str,
        path: Any = None,
        target: Any = None,  # noqa: ARG002
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """The spec from the standard library; None for everything that is not a top-level standard module."""
        if path is not None or name not in self._names:
            return None
        return importlib.machinery.PathFinder.find_spec(name, self._folders)


def _standard_names(folders: List[str]) -> Set[str]:
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return set(known)
    names = set()
    for folder in folders:
        for entry in os.listdir(folder):
            names.add(entry.split(".")[0])
    return names


def strangers(names: List[str], root: str, outside: List[str]) -> Dict[str, str]:
    """Modules of the project that were loaded from elsewhere than the staged tree: {name: file}."""
    inside = os.path.realpath(root) + os.sep
    barred = tuple(os.path.realpath(one) + os.sep for one in outside)
    found = {}
    for name in names:
        module = sys.modules.get(name)
        where = _origin(module) if module is not None else None
        if where is None:
            continue
        real = os.path.realpath(where)
        if not real.startswith(inside) or real.startswith(barred):
            found[name] = where
    return found


def _origin(module: Any) -> Optional[str]:
    spec = getattr(module, "__spec__", None)
    where = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if where in (None, "built-in", "frozen", "namespace"):
        return None
    return str(where)
