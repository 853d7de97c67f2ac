"""Where types are written in a file, and what its strings, comments and examples say.

A type position is an annotation, the type argument of `cast` and its like, a type alias, the bound or default of a
type parameter, or what is inside one of them. A string there is code, to a type checker; so is what follows `>>>` in
a docstring, to doctest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from dev_agent.recipes.source import Source

_WORD: Final = re.compile(r"[^\W\d]\w*")
# The space before is not given back: behind less of it, no `ignore` would ever be seen.
_TYPE_COMMENT: Final = re.compile(r"#\s*type:\s*+(?!ignore\b)(.*)")
_EXAMPLE: Final = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(.*)$", re.MULTILINE)
# Calls that take types: the positions of those among their arguments, and the keywords.
_TAKES_TYPES: Final = {
    "cast": slice(0, 1), "assert_type": slice(1, 2), "TypeVar": slice(1, None), "NewType": slice(1, 2),
    "NamedTuple": slice(1, 2), "TypedDict": slice(1, 2), "ParamSpec": slice(1, None),
}  # fmt: skip
_TYPE_KEYWORDS: Final = frozenset({"bound", "default"})
# The same of `type` statements and type parameters (PEP 695, PEP 696), by name: Python 3.11 has no such nodes.
_LATE: Final = {
    "TypeAlias": ("value",), "TypeVar": ("bound", "default_value"), "ParamSpec": ("default_value",),
    "TypeVarTuple": ("default_value",),
}  # fmt: skip
_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name: `c` of `a.b.c`, "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def parameters(node: _Definition | ast.Lambda) -> list[ast.arg]:
    """All parameters of a function, in their order."""
    given = node.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [each for each in every if each is not None]


def written_types(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions of all annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (each.annotation for each in parameters(node) if each.annotation)
            if node.returns:
                yield node.returns
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation


def type_arguments(tree: ast.AST) -> Iterator[ast.expr]:
    """The arguments that are types, of calls that take types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in _TAKES_TYPES:
            yield from node.args[_TAKES_TYPES[last_name(node.func)]]
            yield from (each.value for each in node.keywords if each.arg in _TYPE_KEYWORDS)


def aliases(tree: ast.AST) -> Iterator[ast.expr]:
    """The values of what is declared a type alias; the bounds and defaults of type parameters."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and node.value and last_name(node.annotation) == "TypeAlias":
            yield node.value
        said: list[ast.expr | None] = [
            getattr(node, each, None) for each in _LATE.get(type(node).__name__, ())
        ]
        yield from (each for each in said if each is not None)


def strings_in(node: ast.AST) -> Iterator[ast.Constant]:
    """The strings in a type that stand for types: not those of Literal, not the notes of Annotated."""
    stack: list[ast.AST] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each
        elif isinstance(each, ast.Subscript):
            name = last_name(each.value)
            if name == "Annotated" and isinstance(each.slice, ast.Tuple) and each.slice.elts:
                stack.append(each.slice.elts[0])
            elif name != "Literal":
                stack += [each.value, each.slice]
        else:
            stack += ast.iter_child_nodes(each)


def names_said(source: Source) -> set[str]:
    """Names that are used by strings in types, by type comments, by examples in docstrings, and by `__all__`."""
    said: set[str] = set()
    for node in _typed(source.tree):
        said.update(*(_WORD.findall(str(string.value)) for string in strings_in(node)))
    for comment in source.comments:
        found = _TYPE_COMMENT.match(comment.string)
        said.update(_WORD.findall(found.group(1)) if found else ())
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ">>>" in node.value:
            said.update(*(_WORD.findall(line) for line in _EXAMPLE.findall(node.value)))
    return said | exported(source.tree)


def exported(tree: ast.Module) -> set[str]:
    """The strings of all statements that speak of `__all__`."""
    names: set[str] = set()
    for statement in tree.body:
        inside = list(ast.walk(statement))
        if any(isinstance(node, ast.Name) and node.id == "__all__" for node in inside):
            names.update(
                node.value
                for node in inside
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            )
    return names


def _typed(tree: ast.Module) -> Iterator[ast.AST]:
    yield from written_types(tree)
    yield from type_arguments(tree)
    yield from aliases(tree)
    # `X = Optional["Y"]`, `class A(Base["B"])`: what is subscribed may be a type.
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Subscript))
