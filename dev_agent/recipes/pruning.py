"""Take names out of import statements and leave the rest of the text as it stands.

A statement that loses all its names goes with its line; one that was alone in its block becomes `pass`, and an
`if TYPE_CHECKING:` that held nothing else goes as a whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import last_name
from dev_agent.recipes.source import Edit

if TYPE_CHECKING:
    from dev_agent.recipes.bindings import Bound
    from dev_agent.recipes.source import Source

_REST: Final = re.compile(r"[ \t]*,?[ \t]*(?:#[^\r\n]*)?(?=\r?\n|\r)")
_BLANK: Final = re.compile(r"[ \t\f]*(?:\r\n|\r|\n)")
_AFTER: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|$)")
_SEMICOLON: Final = re.compile(r"[ \t]*;[ \t]*")


def pruned(source: Source, going: Iterable[Bound]) -> list[Edit]:
    """The edits that take these names out."""
    statements: dict[int, list[Bound]] = {}
    for bound in going:
        statements.setdefault(id(bound.statement), []).append(bound)
    edits: list[Edit] = []
    blocks: dict[int, list[Bound]] = {}
    for bounds in statements.values():
        statement = bounds[0].statement
        if len(bounds) == len(statement.names):
            blocks.setdefault(id(bounds[0].body), []).append(bounds[0])
        else:
            edits += _names(source, statement, {id(bound.alias) for bound in bounds})
    for whole in blocks.values():
        edits += _statements(source, whole)
    return edits


def _names(source: Source, statement: ast.Import | ast.ImportFrom, going: set[int]) -> list[Edit]:
    """Take some names out of a list that keeps others."""
    edits = []
    names = statement.names
    spans = [source.span(alias) for alias in names]
    # Without parentheses the line before ends in a backslash, which asks for this one.
    enclosed = "(" in source.text[source.span(statement)[0] : spans[0][0]]
    last_kept = max(at for at, alias in enumerate(names) if id(alias) not in going)
    for at, alias in enumerate(names):
        if id(alias) not in going:
            continue
        start, end = spans[at]
        own_line = _own_line(source, start, end) if enclosed else None
        if own_line:
            edits.append(own_line)
        elif at < last_kept:
            edits.append(Edit(start, spans[at + 1][0], ""))
        else:
            before = end if at == 0 else spans[at - 1][1]
            # A comment between them belongs to the name before: then its comma stays, which parentheses allow.
            start = start if "#" in source.text[before:start] else before
            edits.append(Edit(start, end, ""))
    return edits


def _own_line(source: Source, start: int, end: int) -> Edit | None:
    """A name that has its line to itself goes with it."""
    line = source.line_of(start)
    first = source.line_start(line)
    rest = _REST.match(source.text, end)
    if source.text[first:start].strip() or rest is None or source.line_of(end) != line:
        return None
    return Edit(first, source.line_end(line), "")


def _statements(source: Source, going: Sequence[Bound]) -> list[Edit]:
    """Take whole statements out of one block."""
    body, owner = going[0].body, going[0].owner
    if len(going) < len(body) or isinstance(owner, ast.Module):
        # One at a time of those that share a line: their edits would meet at the semicolon.
        by_line = {bound.statement.lineno: bound.statement for bound in reversed(going)}
        return [_statement(source, statement) for statement in by_line.values()]
    if (
        isinstance(owner, ast.If)
        and body is owner.body
        and not owner.orelse
        and _is_type_checking(owner.test)
    ):
        start = source.line_start(owner.lineno)
        if source.text[start:].lstrip(" \t").startswith("if"):  # not an elif
            return [_lines(source, owner)]
    edits = [_statement(source, bound.statement) for bound in going[:-1]]
    return [*edits, Edit(*source.span(going[-1].statement), "pass")]


def _is_type_checking(test: ast.expr) -> bool:
    return last_name(test) == "TYPE_CHECKING"


def _statement(source: Source, node: ast.stmt) -> Edit:
    start, end = source.span(node)
    alone = not source.text[source.line_start(node.lineno) : start].strip()
    if alone and _AFTER.match(source.text, end):
        return _lines(source, node)
    after = _SEMICOLON.match(source.text, end)
    if after and not _AFTER.match(source.text, after.end()):
        return Edit(start, after.end(), "")
    before = re.search(r"[ \t]*;[ \t]*$", source.text[:start])
    return Edit(before.start() if before else start, end, "")


def _lines(source: Source, node: ast.stmt) -> Edit:
    """All lines of a statement, with one of two blank lines that would then follow each other."""
    first, last = node.lineno, node.end_lineno or node.lineno
    start, end = source.line_start(first), source.line_end(last)
    if first == 1 or _BLANK.fullmatch(source.text[source.line_start(first - 1) : start]):
        blank = _BLANK.match(source.text, end)
        while blank:
            end = blank.end()
            blank = _BLANK.match(source.text, end) if first == 1 else None
    return Edit(start, end, "")
