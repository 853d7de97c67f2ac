"""The identifier tokens of a file that are spelled like the old name, each explained by the syntax it stands in.

One that no rule below explains makes the file not understood, and with it the whole rename is declined: nothing
escapes by being an unusual kind of syntax. What a place is, `seeker.py` says.
"""

from __future__ import annotations

import ast
import sys
from functools import partial
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.scopes import Scope, ScopeKind
from dev_agent.recipes.renaming.uses import FileUses, Use, Verdict
from dev_agent.recipes.renaming.walking import Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev_agent.recipes.renaming.seeker import Seeker

_TYPE_PARAMETERS = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})


def read(seeker: Seeker, path: str, new: str) -> FileUses:
    """Return what a file holds of a target that is to be called `new`. Raises UnreadableError."""
    file = seeker.project.file(path)
    found = FileUses(file.scope.source)
    reading = _Reading(seeker, found, new)
    for visit in file.visits:
        reading.visit(visit)
    reading.finish()
    return found


class _Reading:
    """One file being read: explains its identifier tokens one after another."""

    def __init__(self, seeker: Seeker, found: FileUses, new: str) -> None:
        self._seeker, self._found, self._source = seeker, found, found.source
        self._old, self._new = seeker.old, new
        self._tokens = found.source.identifiers(seeker.old)
        self._explained: set[int] = set()
        self._inside: dict[ast.JoinedStr, dict[int, tuple[Verdict, ast.AST]]] = {}

    def visit(self, visit: Visit) -> None:  # noqa: C901, PLR0912 - one line a kind
        node, scope = visit.node, visit.scope
        if isinstance(node, ast.Name) and node.id == self._old:
            self._place(visit, partial(self._source.start, node), self._seeker.in_scope(scope))
        elif isinstance(node, ast.Attribute) and node.attr == self._old:
            verdict = self._seeker.attribute(node, scope)
            self._place(visit, lambda: self._source.end(node) - len(self._old), verdict)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == self._old:
                    self._keyword(visit, node, keyword)
        elif (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == self._old
        ):
            self._token(self._source.start(node), self._seeker.in_scope(scope), scope)
        elif isinstance(node, ast.arg) and node.arg == self._old:
            self._place(visit, partial(self._source.start, node), self._seeker.in_scope(scope))
        elif isinstance(node, ast.ClassDef):
            for keyword in node.keywords:
                self._other_keyword(keyword)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self._plain_import(alias, scope)
        elif isinstance(node, ast.ImportFrom):
            self._from_import(node, scope)
        elif isinstance(node, (ast.Global, ast.Nonlocal)) and self._old in node.names:
            for token in self._within(self._source.start(node), self._source.end(node)):
                self._use(token, self._seeker.in_scope(scope))
        elif isinstance(node, ast.MatchClass):
            self._class_pattern(node, scope)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name == self._old:
            self._use(self._source.end(node) - len(self._old), self._seeker.in_scope(scope))
        elif isinstance(node, ast.MatchMapping) and node.rest == self._old:
            self._use(
                self._within(self._source.start(node), self._source.end(node))[-1],
                self._seeker.in_scope(scope),
            )
        elif isinstance(node, ast.ExceptHandler) and node.name == self._old:
            self._token(self._source.end(node.type) if node.type else 0, self._seeker.in_scope(scope), scope)
        elif getattr(node, "name", None) == self._old and type(node).__name__ in _TYPE_PARAMETERS:
            self._token(self._source.start(node), self._seeker.in_scope(scope), scope)  # type: ignore[arg-type]

    def finish(self) -> None:
        for fstring, inside in self._inside.items():
            self._in_fstring(fstring, inside)
        soft = self._old in {"match", "case", "type", "_"}
        self._found.strange += [
            self._source.line_at(one) for one in self._tokens if one not in self._explained and not soft
        ]

    def _place(self, visit: Visit, start: Callable[[], int], verdict: Verdict) -> None:
        node = visit.node
        if visit.fstring is not None and sys.version_info < (3, 12):
            # Before 3.12 positions inside f-strings are wrong: they are found again in the text.
            self._inside.setdefault(visit.fstring, {})[id(node)] = (verdict, node)
            return
        self._use(start(), verdict, node)
        if verdict is Verdict.OURS and isinstance(node, ast.Name):
            self._found.renamed_scopes.append(visit.scope)

    def _use(
        self, start: int, verdict: Verdict, node: ast.AST | None = None, *, keyword: bool = False
    ) -> None:
        if self._source.text[start : start + len(self._old)] != self._old:
            self._found.strange.append(self._source.line_at(start))
            return
        self._explained.add(start)
        line = getattr(node, "lineno", 0) or self._source.line_at(start)
        self._found.uses.append(Use(start, verdict, line, getattr(node, "col_offset", 0), keyword))

    def _token(self, after: int, verdict: Verdict, scope: Scope) -> None:
        token = next((one for one in self._tokens if one >= after), None)
        if token is not None:
            self._use(token, verdict)
            if verdict is Verdict.OURS:
                self._found.renamed_scopes.append(scope)

    def _within(self, start: int, end: int) -> list[int]:
        return [one for one in self._tokens if start <= one < end]

    def _keyword(self, visit: Visit, call: ast.Call, keyword: ast.keyword) -> None:
        verdict = self._seeker.keyword(call, visit.scope)
        if visit.fstring is not None and sys.version_info < (3, 12):
            self._inside.setdefault(visit.fstring, {})[id(keyword)] = (verdict, keyword)
        else:
            self._use(self._source.start(keyword), verdict, call, keyword=True)

    def _other_keyword(self, keyword: ast.keyword) -> None:
        if keyword.arg == self._old:
            self._use(self._source.start(keyword), Verdict.OTHER)

    def _plain_import(self, alias: ast.alias, scope: Scope) -> None:
        tokens = self._within(self._source.start(alias), self._source.end(alias))
        parts = alias.name.split(".")
        path = self._source.path
        for index, part in enumerate(parts):
            if part == self._old:
                keys = self._seeker.project.find(".".join(parts[: index + 1]), path)
                ours = self._seeker.is_target_module(keys)
                bare = index == 0 and not alias.asname
                if bare and not ours and self._seeker.in_scope(scope) is Verdict.OURS:
                    self._renaming_import(tokens[0], alias)
                self._use(tokens.pop(0), Verdict.OURS if ours else Verdict.OTHER)
        if alias.asname == self._old and tokens:
            self._use(tokens[-1], self._seeker.in_scope(scope))

    def _renaming_import(self, token: int, alias: ast.alias) -> None:
        """Another thing imported under our name beside ours: it keeps its own name at its home, and takes ours here."""
        if "." in alias.name:
            self._found.strange.append(self._source.line_at(token))
        end = token + len(self._old)
        self._found.edits.append((end, end, f" as {self._new}"))

    def _from_import(self, node: ast.ImportFrom, scope: Scope) -> None:
        project, path = self._seeker.project, self._source.path
        first = self._source.start(node.names[0])
        tokens = self._within(self._source.start(node), first)
        parts = (node.module or "").split(".")
        for index, part in enumerate(parts):
            if part == self._old:
                upto = parts[: index + 1]
                keys = (
                    project.relative(path, node.level, upto)
                    if node.level
                    else project.find(".".join(upto), path)
                )
                self._use(
                    tokens.pop(0), Verdict.OURS if self._seeker.is_target_module(keys) else Verdict.OTHER
                )
        for alias in node.names:
            self._imported_name(node, alias, scope)

    def _imported_name(self, node: ast.ImportFrom, alias: ast.alias, scope: Scope) -> None:
        tokens = self._within(self._source.start(alias), self._source.end(alias))
        here = self._seeker.in_scope(scope)
        if alias.name == self._old:
            ours = self._seeker.imported(node, alias, scope)
            if ours and scope.kind is ScopeKind.CLASS and alias.asname is None:
                self._found.edits.append(
                    (tokens[0] + len(self._old), tokens[0] + len(self._old), f" as {self._old}")
                )
            elif not ours and alias.asname is None and here is Verdict.OURS:
                self._renaming_import(tokens[0], alias)
            self._use(tokens.pop(0), Verdict.OURS if ours else Verdict.OTHER)
        if alias.asname == self._old and tokens:
            self._use(tokens[-1], here)

    def _class_pattern(self, node: ast.MatchClass, scope: Scope) -> None:
        for name, pattern in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
            if name == self._old:
                before = self._within(self._source.start(node), self._source.start(pattern))
                self._use(before[-1], self._seeker.field_pattern(node, scope))

    def _in_fstring(self, fstring: ast.JoinedStr, inside: dict[int, tuple[Verdict, ast.AST]]) -> None:
        from dev_agent.recipes.renaming.fstrings import in_order, places  # noqa: PLC0415 - LibCST is slow to import

        start, end = self._source.start(fstring), self._source.end(fstring)
        found = places(self._source.text[start:end], self._old)
        nodes = in_order(fstring, set(inside))
        if len(found) != len(nodes):
            self._found.strange.append(fstring.lineno)
            return
        for offset, identity in zip(found, nodes, strict=True):
            verdict, node = inside[identity]
            self._use(start + offset, verdict, node, keyword=isinstance(node, ast.keyword))
