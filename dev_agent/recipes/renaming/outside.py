"""Whether a class from outside the project defines a member: builtins are asked, the standard library's stubs read.

The stubs are those that come with mypy; they are read as text, nothing is imported. Of other packages nothing is known.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
from pathlib import Path


def defines(dotted: str, name: str) -> bool | None:
    """Return whether a class has a member; None if nothing is known about it."""
    home, _, last = dotted.rpartition(".")
    if home == "builtins":
        return hasattr(getattr(builtins, last, None), name)
    if last in {"Protocol", "Generic", "ABC"}:
        return False
    return _in_stub(home, last, name, set())


def _in_stub(home: str, last: str, name: str, seen: set[tuple[str, str]]) -> bool | None:
    tree = _stub(home)
    if tree is None or (home, last) in seen:
        return None
    seen.add((home, last))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == last:
            return _in_class(node, home, name, seen)
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == last:
                    package = home if not node.level else f"{home}.{node.module}"
                    return _in_stub(node.module if not node.level else package, alias.name, name, seen)
    return None


def _in_class(node: ast.ClassDef, home: str, name: str, seen: set[tuple[str, str]]) -> bool | None:
    if any(_binds(one, name) for one in node.body):
        return True
    answers: list[bool | None] = [False]
    for base in node.bases:
        plain = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(plain, ast.Attribute) and isinstance(plain.value, ast.Name):
            answers.append(defines(f"{plain.value.id}.{plain.attr}", name))
        elif isinstance(plain, ast.Name):
            known = hasattr(builtins, plain.id)
            answers.append(defines(f"{'builtins' if known else home}.{plain.id}", name))
    if True in answers:
        return True
    return None if None in answers and not seen else any(answers)


def _binds(node: ast.stmt, name: str) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == name
    if isinstance(node, ast.If):
        return any(_binds(one, name) for one in [*node.body, *node.orelse])
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(one, ast.Name) and one.id == name for one in targets)


def _stub(module: str) -> ast.Module | None:
    spec = importlib.util.find_spec("mypy")
    parts = module.split(".")
    if spec is None or not spec.submodule_search_locations or not all(part.isidentifier() for part in parts):
        return None
    folder = Path(spec.submodule_search_locations[0], "typeshed", "stdlib", *parts)
    for path in (folder.with_suffix(".pyi"), folder / "__init__.pyi"):
        if path.is_file():
            return ast.parse(path.read_text(encoding="utf-8"))
    return None
