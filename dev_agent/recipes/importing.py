"""Write the imports that other edits of a file need.

A `from` import of the same module at the top of the file takes the name, in order; else a line is added after the last
import of the standard library in the first block of imports, or where imports begin.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dev_agent.recipes.source import Edit

if TYPE_CHECKING:
    from dev_agent.recipes.called import Called
    from dev_agent.recipes.source import Source


def imported(source: Source, called: Called, needed: Iterable[tuple[str, str]]) -> list[Edit]:
    """The edits that make `from module import name` true for all of `needed`. Names that are bound so are skipped."""
    missing: dict[str, set[str]] = {}
    for module, name in needed:
        if f"{module}.{name}" not in called.of.values():
            missing.setdefault(module, set()).add(name)
    edits: list[Edit] = []
    lines: list[str] = []
    for module, names in sorted(missing.items()):
        present = _same_module(source.tree, module)
        if present is not None:
            edits += _extended(source, present, sorted(names))
        else:
            lines.append(f"from {module} import {', '.join(sorted(names))}")
    return [*edits, _added(source, lines)] if lines else edits


def _same_module(tree: ast.Module, module: str) -> ast.ImportFrom | None:
    for node in tree.body:
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == module
            and not node.level
            and node.names[0].name != "*"
        ):
            return node
    return None


def _extended(source: Source, node: ast.ImportFrom, names: Sequence[str]) -> list[Edit]:
    """Put each name before the first that sorts after it, else after the last."""
    by_place: dict[int, list[str]] = {}
    spans = [source.span(alias) for alias in node.names]
    for name in names:
        later = [at for at, alias in enumerate(node.names) if _order(alias.name) > _order(name)]
        by_place.setdefault(later[0] if later else len(spans), []).append(name)
    edits = []
    for at, added in by_place.items():
        if at < len(spans):
            start = spans[at][0]
            first = source.text[source.line_start(source.line_of(start)) : start]
            # A list with one name a line stays one.
            between = f",{source.newline}{first}" if not first.strip() and len(node.names) > 1 else ", "
            edits.append(Edit(start, start, between.join([*added, ""])))
        else:
            end = spans[-1][1]
            start = spans[-1][0]
            first = source.text[source.line_start(source.line_of(start)) : start]
            between = f",{source.newline}{first}" if not first.strip() else ", "
            edits.append(Edit(end, end, between.join(["", *added])))
    return edits


def _order(name: str) -> tuple[int, str]:
    """As isort and ruff sort names by default: CONSTANTS, Classes, functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _added(source: Source, lines: Sequence[str]) -> Edit:
    block = _first_block(source.tree)
    text = source.newline.join([*lines, ""])
    standard = [
        node for node in block if _top(node) in sys.stdlib_module_names and _top(node) != "__future__"
    ]
    if standard:
        after = _place(standard, lines[0])
        if after is None:
            start = source.line_start(standard[0].lineno)
            return Edit(start, start, text)
        end = source.line_end(after.end_lineno or after.lineno)
        return Edit(end, end, _broken(source, end) + text)
    others = [node for node in block if _top(node) != "__future__"]
    if others:
        start = source.line_start(others[0].lineno)
        return Edit(start, start, text + source.newline)
    start = _beginning(source)
    before = source.newline if start else ""
    return Edit(start, start, _broken(source, start) + before + text + ("" if start else source.newline))


def _place(standard: Sequence[ast.Import | ast.ImportFrom], line: str) -> ast.Import | ast.ImportFrom | None:
    """The import after which a `from` import sorts: plain ones come first, then by module."""
    module = line.split()[1]
    before = [node for node in standard if isinstance(node, ast.Import) or (node.module or "") < module]
    return before[-1] if before else None


def _broken(source: Source, at: int) -> str:
    """A line end, where the text ends without one."""
    return source.newline if at and source.text[at - 1] not in "\r\n" else ""


def _first_block(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    block = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            block.append(node)
        elif block or not _is_docstring(node):
            break
    return block


def _beginning(source: Source) -> int:
    """Where imports may begin: after the docstring and `__future__`, else before the first statement or at the end."""
    last = None
    for node in source.tree.body:
        if not (_is_docstring(node) or _top(node) == "__future__"):
            break
        last = node
    if last is not None:
        return source.line_end(last.end_lineno or last.lineno)
    if not source.tree.body:
        return len(source.text)
    first = source.tree.body[0]
    decorators = getattr(first, "decorator_list", [])
    return source.line_start(min([first.lineno, *(each.lineno for each in decorators)]))


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _top(node: ast.stmt) -> str:
    if isinstance(node, ast.Import):
        return node.names[0].name.partition(".")[0]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return (node.module or "").partition(".")[0]
    return ""
