"""Definitions that somebody finds by their name, though no line of the project says so: frameworks, keys, values.

They are dynamic uses which cannot be seen at any place but the definition.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.conflicts import place
from dev_agent.recipes.renaming.lineage import HARMLESS
from dev_agent.recipes.renaming.scopes import How
from dev_agent.recipes.renaming.shapes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev_agent.recipes.model import Place
    from dev_agent.recipes.renaming.scopes import Binding, Scope
    from dev_agent.recipes.renaming.target import Target

_HOOK = re.compile(r"fixture|hookimpl|hookspec")
_DISPATCHED = re.compile(r"(?:visit|leave|depart|do|handle|on|test)_")


def found_by_name(target: Target) -> list[Place]:
    """Return the definitions of a target that are found by their name: fixtures and hooks of pytest, methods that a
    base class from outside dispatches to (`visit_Name`), keys of a TypedDict, members of a StrEnum made by `auto()`.
    """
    return sorted(
        {
            place(scope, one.line)
            for scope in target.scopes
            for one in _bound(scope, target.name)
            if _is(target, one)
        }
    )


def _bound(scope: Scope, name: str) -> Iterator[Binding]:
    yield from (one for one in scope.bindings.get(name, ()) if one.statement is None)


def _is(target: Target, binding: Binding) -> bool:
    node = binding.node
    bases = {one.rpartition(".")[2] for one in target.outside if one not in HARMLESS}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        hook = target.name.startswith("pytest_") or any(
            _HOOK.search(last_name(one)) for one in node.decorator_list
        )
        return hook or bool(target.member and bases and _DISPATCHED.match(target.name))
    if binding.how is How.ANNOTATED:
        return "TypedDict" in bases
    return "StrEnum" in bases and isinstance(node, ast.Call) and last_name(node) == "auto"
