"""What a file's imports bind, and which of those names nothing in the file uses.

A name counts as used if it is read, deleted or declared global anywhere in the scope that binds it or below, if a
string in a type, a type comment, an example in a docstring or `__all__` says it, or if `import a as a` exports it. That
is coarser than Python's scopes and errs to one side: what is called unused is unused.

Never called unused: `__future__`, `*`, imports in a class body (they are attributes) or in a `try` that catches
ImportError (they ask whether it is there), modules imported for what importing them does, and what is marked `noqa`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from dev_agent.recipes.annotated import last_name, names_said
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.source import Source

_EFFECTS: Final = frozenset({"readline", "rlcompleter", "this", "antigravity", "__main__"})
_CATCHES: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_NOQA: Final = re.compile(
    r"#\s*noqa\b(?!\s*:)|#\s*noqa\s*:[\w\s,]*\bF401\b|pylint:\s*disable=.*unused-import", re.IGNORECASE
)
_FILE_NOQA: Final = re.compile(r"#\s*(?:ruff|flake8)\s*:\s*noqa\s*(?:$|:[\w\s,]*\bF401\b)", re.IGNORECASE)
_DYNAMIC: Final = frozenset({"globals", "locals", "vars", "eval", "exec"})
_Statement: TypeAlias = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """One name of an import statement. `body`: the statements it stands among; `owner`: whose they are."""

    statement: _Statement
    alias: ast.alias
    scope: ast.AST
    body: list[ast.stmt]
    owner: ast.AST
    guarded: bool

    @property
    def name(self) -> str:
        """The name that is bound here."""
        return self.alias.asname or self.alias.name.partition(".")[0]

    @property
    def module(self) -> str:
        """The module that is imported or imported from, with its leading dots."""
        if isinstance(self.statement, ast.Import):
            return self.alias.name
        return "." * self.statement.level + (self.statement.module or "")

    @property
    def target(self) -> str:
        """The dotted name of what is bound: `typing.List`."""
        if isinstance(self.statement, ast.Import):
            return self.alias.name if self.alias.asname else self.name
        return f"{self.module}.{self.alias.name}"


def imports(tree: ast.Module) -> Iterator[Bound]:
    """All names that import statements bind, wherever they stand."""
    stack: list[tuple[ast.AST, ast.AST, bool]] = [(tree, tree, False)]
    while stack:
        owner, scope, guarded = stack.pop()
        for name, value in ast.iter_fields(owner):
            if not isinstance(value, list):
                continue
            inside = guarded or (name != "finalbody" and _catches(owner))
            for node in value:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield from (Bound(node, each, scope, value, owner, inside) for each in node.names)
                elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                    own = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                    stack.append((node, node if own else scope, inside))


def unused(source: Source) -> list[Bound]:
    """The imported names that nothing uses."""
    if any(_FILE_NOQA.search(comment.string) for comment in source.comments) or is_dynamic(source.tree):
        return []
    said: set[str] | None = None
    used: dict[int, set[str]] = {}
    found = []
    for bound in imports(source.tree):
        if _kept(bound):
            continue
        if id(bound.scope) not in used:
            used[id(bound.scope)] = _used(bound.scope)
        if bound.name in used[id(bound.scope)]:
            continue
        said = names_said(source) if said is None else said
        if bound.name not in said and not marked(source, bound.statement):
            found.append(bound)
    return found


def is_dynamic(tree: ast.Module) -> bool:
    """Whether the file asks for its names by text: then nothing can be said about them."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _DYNAMIC
        and not (node.func.id == "vars" and node.args)
        for node in ast.walk(tree)
    )  # fmt: skip


def marked(source: Source, node: ast.stmt) -> bool:
    """Whether a statement is marked to stay as it is."""
    start, end = source.line_start(node.lineno), source.line_end(node.end_lineno or node.lineno)
    return any(start <= comment.start < end and _NOQA.search(comment.string) for comment in source.comments)


def rebound(tree: ast.Module) -> set[str]:
    """Names that something else than an import binds anywhere in the file: they may mean something else."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        elif type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:
            names.add(str(getattr(node, "name", "")))
    return names


def _kept(bound: Bound) -> bool:
    if isinstance(bound.statement, ast.ImportFrom) and bound.statement.module == "__future__":
        return True
    # In a class it is an attribute, which everybody may ask for.
    if isinstance(bound.scope, ast.ClassDef):
        return True
    exports = bound.alias.asname is not None and bound.alias.asname == bound.alias.name
    effect = isinstance(bound.statement, ast.Import) and bound.alias.name in _EFFECTS
    return bound.guarded or exports or effect or bound.alias.name == "*"


def _used(scope: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _catches(node: ast.AST) -> bool:
    """Whether a block asks if an import works: `try` with a handler for it, `with suppress(ImportError)`."""
    if isinstance(node, ast.With):
        return any(last_name(each) in _CATCHES for item in node.items for each in ast.walk(item))
    if not isinstance(node, ast.Try | ast.TryStar):
        return False
    for handler in node.handlers:
        caught = handler.type
        kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        if any(kind is None or last_name(kind) in _CATCHES for kind in kinds):
            return True
    return False
