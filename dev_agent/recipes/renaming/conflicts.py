"""Whether the new name is free everywhere it would be read.

Taken: bound already in a scope or hierarchy that has the old one, or a submodule's. Shadowed: a use would find another
binding on its way. Captured: a place that reads the new name today, from further out, would read ours.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.model import Place
from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import Scope
from dev_agent.recipes.renaming.target import slots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev_agent.recipes.renaming.project import Project
    from dev_agent.recipes.renaming.target import Target
    from dev_agent.recipes.renaming.uses import FileUses


def taken(project: Project, target: Target, new: str) -> list[Place]:
    """Return where the new name is bound already beside the old one."""
    found = []
    for scope in target.scopes | target.classes:
        found += [
            place(scope, one.line) for one in [*scope.bindings.get(new, ()), *scope.members.get(new, ())]
        ]
        if new in slots(scope):
            found.append(place(scope, slots(scope)[new][0].lineno))
        if scope.parent is None:
            found += [
                Place(path=path, line=0)
                for key in project.submodule(key_of(scope.source.path), new)
                for path in project.paths_of(key)
            ]
    return sorted(set(found))


def above(inherited: Iterable[tuple[Scope, str]]) -> list[Place]:
    """Return where classes above a hierarchy bind the new name."""
    found = set()
    for scope, new in inherited:
        for binding in [*scope.bindings.get(new, ()), *scope.members.get(new, ())]:
            found.add(place(scope, binding.line))
    return sorted(found)


def shadowed(uses: FileUses, target: Target, new: str) -> list[Place]:
    """Return where a renamed name would find another binding of the new name on its way out."""
    found = set()
    for scope in uses.renamed_scopes:
        owner = scope.owner(target.name) or scope.module
        for one in scope.between(owner):
            for binding in one.bindings.get(new, ()):
                found.add(place(one, binding.line))
    return sorted(found)


def captured(project: Project, target: Target, new: str) -> list[Place]:
    """Return the places that read the new name from outside a scope which is going to bind it."""
    found = set()
    for path in {scope.source.path for scope in target.scopes}:
        for visit in project.file(path).visits:
            node = visit.node
            if isinstance(node, ast.Name) and node.id == new and isinstance(node.ctx, ast.Load):
                owner = visit.scope.owner(new)
                passed = (
                    list(visit.scope.between(owner))
                    if owner
                    else [*visit.scope.between(visit.scope.module), visit.scope.module]
                )
                if any(one in target.scopes for one in passed):
                    found.add(place(visit.scope, node.lineno))
    return sorted(found)


def place(scope: Scope, line: int) -> Place:
    """Return a line of a scope's file as a place."""
    return Place(path=scope.source.path, line=line, text=scope.source.line(line).strip())
