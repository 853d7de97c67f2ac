"""Every symbol of the project that a name may mean: modules, module-level names, members, and what leads to them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.project import key_of, word
from dev_agent.recipes.renaming.source import UnreadableError
from dev_agent.recipes.renaming.target import Growing, slots
from dev_agent.recipes.renaming.values import Class, Function, Module
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.scopes import Scope


@dataclass(frozen=True, slots=True)
class Candidate:
    """A symbol of a name: what it is, where it is defined."""

    kind: str
    qualified: str
    scope: Scope | None
    key: str
    path: str
    line: int


def candidates(inference: Inference, name: str, files: list[str]) -> list[Candidate]:
    """Return every symbol of the project whose last name is this: modules, module-level names, members."""
    project = inference.project
    found = [
        Candidate("module", dotted, None, key, project.paths_of(key)[0], 0)
        for key, dotted in project.modules()
        if dotted.rpartition(".")[2] == name
    ]
    for path in files:
        file, module = project.file(path), project.dotted(key_of(path))
        own = [one for one in file.scope.bindings.get(name, ()) if one.statement is None]
        if own:
            kind = (
                "class"
                if isinstance(own[0].node, ast.ClassDef)
                else "function"
                if _is_def(own[0].node)
                else "name"
            )
            found.append(Candidate(kind, _joined(module, name), file.scope, key_of(path), path, own[0].line))
        for one in file.classes:
            if Growing.defines(one, name):
                bindings = [*one.bindings.get(name, ()), *one.members.get(name, ())]
                line = bindings[0].line if bindings else slots(one)[name][0].lineno
                kind = "method" if bindings and _is_def(bindings[0].node) else "attribute"
                found.append(
                    Candidate(kind, _joined(module, one.qualified, name), one, key_of(path), path, line)
                )
    return found


def through(inference: Inference, old: str) -> list[Candidate]:
    """Return what a dotted name reaches through re-exports or inheritance, where nothing is defined at it."""
    project, (outer, _, name) = inference.project, old.rpartition(".")
    found: list[Candidate] = []
    for key in project.find(outer):
        for value in inference.member_of_module(key, name):
            scope = value.scope if isinstance(value, (Class, Function)) else None
            home = scope.parent if isinstance(value, Class) and scope else scope
            if home is not None and home.parent is None:
                line = getattr(value.node if isinstance(value, Function) else home.node, "lineno", 0)
                path = home.source.path
                last = value.node.name if isinstance(value, Function) else scope.name if scope else name
                if last == name:
                    dotted = _joined(project.dotted(key_of(path)), name)
                    found.append(Candidate("name", dotted, home, key_of(path), path, line))
            elif isinstance(value, Module):
                found.append(Candidate("module", project.dotted(value.key), None, value.key, value.key, 0))
    return found or _inherited(inference, outer, name)


def _inherited(inference: Inference, outer: str, name: str) -> list[Candidate]:
    project = inference.project
    last = outer.rpartition(".")[2]
    found: list[Candidate] = []
    for path in project.mentions(rb"class[ \t\\\r\n]+" + word(last)) if last else []:
        try:
            classes = project.file(path).classes
        except UnreadableError:
            continue
        for one in classes:
            qualified = _joined(project.dotted(key_of(path)), one.qualified)
            if fits(qualified, outer):
                for owner, bindings in inference.members(one, name)[0][:1]:
                    home = owner.source.path
                    dotted = _joined(project.dotted(key_of(home)), owner.qualified, name)
                    found.append(Candidate("attribute", dotted, owner, key_of(home), home, bindings[0].line))
    return list(dict.fromkeys(found))


def fits(qualified: str, wanted: str) -> bool:
    """Return whether a dotted name is, or ends with, another."""
    return qualified == wanted or qualified.endswith("." + wanted)


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _is_def(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
