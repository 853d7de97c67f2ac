"""What a change does to the face a module shows to others: how many public names come, go or change their form.

Public is every name without a leading underscore at the top of a module or of a public class, in modules none of
whose path has one. Its form is what a caller sees: parameters, annotations, decorators, bases; of a value its
annotation, and not what it is set to. Smaller is better only between changes that do the same. Pure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dev_agent.python_text import parsed, type_parameters, type_statement

if TYPE_CHECKING:
    from dev_agent.edits.changes import Change

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_change(changes: Iterable[Change]) -> int:
    """How many public names differ over all changed modules; a name with another form counts once."""
    return sum(
        _difference(one) for one in changes if one.path.endswith((".py", ".pyi")) and _is_public(one.path)
    )


def _difference(change: Change) -> int:
    before, after = _face(change.before), _face(change.after)
    return sum(before.get(name) != after.get(name) for name in before.keys() | after.keys())


def _is_public(path: str) -> bool:
    parts = path.rpartition(".")[0].split("/")
    return not any(part.startswith((".", "_")) and part != "__init__" for part in parts)


def _face(data: bytes | None) -> dict[str, str]:
    try:
        tree = parsed(data or b"")
        return dict(_names(tree.body, ""))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}  # what cannot be read has no face to compare; the gates say what is wrong with it


def _names(body: list[ast.stmt], within: str) -> Iterator[tuple[str, str]]:
    for statement in body:
        for name, form in _bound(statement):
            if not name.startswith("_"):
                yield within + name, form
                if isinstance(statement, ast.ClassDef):
                    yield from _names(statement.body, f"{within}{name}.")


def _bound(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(statement, _Function):
        shown = [
            statement.args,
            *([statement.returns] if statement.returns else []),
            *statement.decorator_list,
            *type_parameters(statement),
        ]
        yield statement.name, type(statement).__name__ + _forms(shown)
    elif isinstance(statement, ast.ClassDef):
        yield (
            statement.name,
            "class"
            + _forms(
                [
                    *statement.bases,
                    *statement.keywords,
                    *statement.decorator_list,
                    *type_parameters(statement),
                ]
            ),
        )
    elif (stated := type_statement(statement)) is not None:
        yield stated[0].id, ast.dump(statement)
    elif isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name):
            yield statement.target.id, ast.dump(statement.annotation)
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from ((one.id, "value") for one in ast.walk(target) if isinstance(one, ast.Name))


def _forms(nodes: Iterable[ast.AST]) -> str:
    return " ".join(ast.dump(one) for one in nodes)
