"""What a function's own statement says about it: its decorators, whether it yields."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev_agent.recipes.renaming.scopes import FunctionNode


def method_kind(node: FunctionNode) -> str:
    """Return "staticmethod", "classmethod" or nothing for a function in a class body."""
    names = {last_name(one) for one in node.decorator_list}
    if node.name in {"__new__", "__init_subclass__", "__class_getitem__"}:
        return "classmethod"
    return next((one for one in ("staticmethod", "classmethod") if one in names), "")


def is_property(node: FunctionNode) -> bool:
    """Return whether reading it calls it."""
    return any(
        last_name(one) in {"property", "cached_property", "setter", "getter"} for one in node.decorator_list
    )


def is_fixture(node: FunctionNode) -> bool:
    """Return whether it is a pytest fixture."""
    return any("fixture" in last_name(one) for one in node.decorator_list)


def decorated(node: FunctionNode) -> bool:
    """Return whether a decorator may change what a call of it gives."""
    known = {
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "lru_cache",
        "cache",
        "abstractmethod",
        "override",
    }
    return any(last_name(one) not in known and "fixture" not in last_name(one) for one in node.decorator_list)


def yields(node: FunctionNode) -> bool:
    """Return whether it is a generator."""
    return any(isinstance(one, (ast.Yield, ast.YieldFrom)) for one in own_nodes(node))


def own_nodes(node: FunctionNode) -> Iterable[ast.AST]:
    """Yield the nodes of a function's body, without those of functions and classes in it."""
    queue: list[ast.AST] = list(node.body)
    while queue:
        one = queue.pop()
        yield one
        if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            queue.extend(ast.iter_child_nodes(one))


def last_name(node: ast.expr) -> str:
    """Return the last name of a decorator, called or not."""
    return own_name(node.func if isinstance(node, ast.Call) else node)


def own_name(node: ast.expr) -> str:
    """Return the last name of a dotted expression; nothing for any other."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
