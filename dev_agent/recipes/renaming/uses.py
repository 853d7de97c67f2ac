"""Every place that is spelled like the old name, and what it is: ours, another's, or not to be seen.

All identifier tokens of a file are accounted for. One that no rule below explains makes the file not understood, and
with it the whole rename is declined: nothing escapes by being an unusual kind of syntax.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import How, Scope, ScopeKind
from dev_agent.recipes.renaming.values import (
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Module,
    Unknown,
)
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.scopes import Visit
    from dev_agent.recipes.renaming.source import Source
    from dev_agent.recipes.renaming.target import Growing, Target
    from dev_agent.recipes.renaming.values import Values


class Verdict(Enum):
    """What a place is."""

    OURS = "ours"
    OTHER = "another's"
    UNKNOWN = "not to be seen"
    MIXED = "ours or another's"


@dataclass(frozen=True, slots=True)
class Use:
    """An identifier: where it begins, what it is, and the position a type checker reports for it (UTF-8 column)."""

    start: int
    verdict: Verdict
    line: int = 0
    column: int = 0
    keyword: bool = False


@dataclass(slots=True)
class FileUses:
    """What was found in one file. `edits` are further replacements [start, end) -> text, each with its line."""

    source: Source
    uses: list[Use] = field(default_factory=list)
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    dynamic: list[int] = field(default_factory=list)
    strange: list[int] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)
    renamed_scopes: list[Scope] = field(default_factory=list)


class Seeker:
    """Finds the uses of a target in a file."""

    def __init__(self, inference: Inference, growing: Growing, target: Target, new: str) -> None:
        self._inference, self._growing, self.target, self._new = inference, growing, target, new
        self._project = inference.project
        self._old = target.name

    def seek(self, path: str) -> FileUses:
        """Return what a file holds. Raises UnreadableError."""
        file = self._project.file(path)
        found = FileUses(file.scope.source)
        work = _File(self, found, found.source.identifiers(self._old))
        for visit in file.visits:
            work.visit(visit)
        work.finish()
        return found

    def in_scope(self, scope: Scope) -> Verdict:
        """Return what the bare name is in a scope."""
        owner = scope.owner(self._old) or scope.module
        return Verdict.OURS if owner in self.target.scopes else Verdict.OTHER

    def from_module(self, key: str) -> bool:
        """Return whether the name taken from a module is ours."""
        return self._growing.denotes(self.target, key, self._old)

    def is_target_module(self, keys: list[str]) -> bool:
        """Return whether any of these modules is the one renamed."""
        return any(key in self.target.modules for key in keys)

    def of_receiver(self, values: Values) -> Verdict:
        """Return what `.old` is on something that may be any of these values."""
        seen = {self._on(value) for value in values}
        if Verdict.OURS in seen:
            return Verdict.MIXED if Verdict.MIXED in seen else Verdict.OURS
        if Verdict.UNKNOWN in seen or not seen:
            return Verdict.UNKNOWN
        return Verdict.OTHER

    def _on(self, value: object) -> Verdict:
        if isinstance(value, Module):
            return Verdict.OURS if not self.target.member and self.from_module(value.key) else Verdict.OTHER
        if isinstance(value, (Instance, Class)) and self.target.member:
            return self._on_class(value.scope, above=isinstance(value, Instance) and value.of_super)
        if isinstance(value, Foreign) and "mock" in value.dotted.lower():
            return Verdict.UNKNOWN
        if isinstance(value, (Instance, Class, Foreign, ForeignInstance, Function)):
            return Verdict.OTHER
        return Verdict.UNKNOWN

    def _on_class(self, scope: Scope, *, above: bool) -> Verdict:
        if scope in self.target.classes:
            return Verdict.OURS
        owners, _ = self._inference.members(scope, self._old)
        owners = [one for one in owners if not (above and one[0] is scope)]
        if owners:
            return Verdict.OURS if owners[0][0] in self.target.classes else Verdict.MIXED
        below = [one for one in self.target.classes if scope in self._inference.ancestors(one)]
        return Verdict.OURS if below else Verdict.OTHER

    def attribute(self, node: ast.Attribute, scope: Scope) -> Verdict:
        """Return what an attribute spelled so is."""
        verdict = self.of_receiver(self._inference.evaluate(node.value, scope))
        return Verdict.OTHER if verdict is Verdict.MIXED and not self._ours_too(node, scope) else verdict

    def _ours_too(self, node: ast.Attribute, scope: Scope) -> bool:
        values = self._inference.evaluate(node.value, scope)
        return any(self._on(one) is Verdict.OURS for one in values)

    def keyword(self, node: ast.Call, scope: Scope) -> Verdict:
        """Return what a keyword argument spelled so is: ours where a call makes an object from its fields."""
        if not self.target.member:
            return Verdict.OTHER
        verdicts = {self._made_by(value, node, scope) for value in self._inference.evaluate(node.func, scope)}
        if Verdict.OURS in verdicts:
            return Verdict.OURS
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.OTHER

    def _made_by(self, value: object, node: ast.Call, scope: Scope) -> Verdict:
        last = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if isinstance(value, Class):
            return self.field(value.scope)
        if (
            isinstance(value, Unknown)
            and last in {"_replace", "__init__"}
            and isinstance(node.func, ast.Attribute)
        ):
            return self._receiver_field(self._inference.evaluate(node.func.value, scope))
        if isinstance(value, Foreign):
            if last in {"replace", "evolve"} and node.args:
                return self._receiver_field(self._inference.evaluate(node.args[0], scope))
            return Verdict.UNKNOWN if last == "partial" else Verdict.OTHER
        return Verdict.UNKNOWN if isinstance(value, Unknown) else Verdict.OTHER

    def _receiver_field(self, values: Values) -> Verdict:
        seen = {self.field(one.scope) for one in values if isinstance(one, (Instance, Class))}
        return (
            Verdict.OURS
            if Verdict.OURS in seen
            else Verdict.UNKNOWN
            if Unknown() in values
            else Verdict.OTHER
        )

    def field(self, scope: Scope) -> Verdict:
        """Return what the keyword is when a class is called: its own `__init__` takes names of its own."""
        if scope not in self.target.classes:
            return Verdict.OTHER
        for one in self._inference.ancestors(scope):
            if isinstance(one, Scope):
                if "__init__" in one.bindings or "__new__" in one.bindings:
                    return Verdict.OTHER
                if any(each.how is How.ANNOTATED for each in one.bindings.get(self._old, ())):
                    return Verdict.OURS
        return Verdict.OTHER


class _File:
    """One file being read: explains its identifier tokens one after another."""

    def __init__(self, seeker: Seeker, found: FileUses, tokens: list[int]) -> None:
        self._seeker, self._found, self._tokens = seeker, found, tokens
        self._old, self._new, self._source = seeker._old, seeker._new, found.source  # noqa: SLF001 - its own part
        self._explained: set[int] = set()
        self._inside: dict[ast.JoinedStr, dict[int, tuple[Verdict, ast.AST]]] = {}

    def visit(self, visit: Visit) -> None:  # noqa: C901, PLR0912 - one line a kind
        node, scope = visit.node, visit.scope
        if isinstance(node, ast.Name) and node.id == self._old:
            self._place(visit, self._source.start, self._seeker.in_scope(scope))
        elif isinstance(node, ast.Attribute) and node.attr == self._old:
            verdict = self._seeker.attribute(node, scope)
            self._place(visit, lambda one: self._source.end(one) - len(self._old), verdict)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == self._old:
                    self._keyword(visit, node, keyword)
        elif (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == self._old
        ):
            self._token(self._source.start(node), self._seeker.in_scope(scope), scope)
        elif isinstance(node, ast.arg) and node.arg == self._old:
            self._place(visit, self._source.start, self._seeker.in_scope(scope))
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

    def _place(self, visit: Visit, where: object, verdict: Verdict) -> None:
        node = visit.node
        if visit.fstring is not None and sys.version_info < (3, 12):
            # Before 3.12 positions inside f-strings are wrong: they are found again in the text.
            self._inside.setdefault(visit.fstring, {})[id(node)] = (verdict, node)
            return
        self._use(where(node), verdict, node)  # type: ignore[operator]
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
                keys = self._seeker._project.find(".".join(parts[: index + 1]), path)  # noqa: SLF001
                ours = self._seeker.is_target_module(keys)
                bare = index == 0 and not alias.asname
                if bare and not ours and self._seeker.in_scope(scope) is Verdict.OURS:
                    self._renaming_import(tokens[0], alias, scope)
                self._use(tokens.pop(0), Verdict.OURS if ours else Verdict.OTHER)
        if alias.asname == self._old and tokens:
            self._use(tokens[-1], self._seeker.in_scope(scope))

    def _renaming_import(self, token: int, alias: ast.alias, scope: Scope) -> None:
        """Another thing imported under our name beside ours: it keeps its own name at its home, and takes ours here."""
        if "." in alias.name and isinstance(scope, Scope):
            self._found.strange.append(self._source.line_at(token))
        end = token + len(self._old)
        self._found.edits.append((end, end, f" as {self._new}"))

    def _from_import(self, node: ast.ImportFrom, scope: Scope) -> None:
        project, path = self._seeker._project, self._source.path  # noqa: SLF001
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
            ours = self._is_ours(node, alias, scope)
            if ours and scope.kind is ScopeKind.CLASS and alias.asname is None:
                self._found.edits.append(
                    (tokens[0] + len(self._old), tokens[0] + len(self._old), f" as {self._old}")
                )
            elif not ours and alias.asname is None and here is Verdict.OURS:
                self._renaming_import(tokens[0], alias, scope)
            self._use(tokens.pop(0), Verdict.OURS if ours else Verdict.OTHER)
        if alias.asname == self._old and tokens:
            self._use(tokens[-1], here)

    def _is_ours(self, node: ast.ImportFrom, alias: ast.alias, scope: Scope) -> bool:
        project, path = self._seeker._project, self._source.path  # noqa: SLF001
        if self._seeker.target.member:
            return False
        keys = project.imported(node, path)
        if not keys:
            return not node.level and self._seeker.is_target_module(
                project.find(f"{node.module}.{alias.name}", path)
            )
        if key_of(path) in keys and scope.parent is None:
            return any(self._seeker.is_target_module(project.submodule(key, alias.name)) for key in keys)
        return any(self._seeker.from_module(key) for key in keys)

    def _class_pattern(self, node: ast.MatchClass, scope: Scope) -> None:
        for name, pattern in zip(node.kwd_attrs, node.kwd_patterns, strict=True):
            if name == self._old:
                before = self._within(self._source.start(node), self._source.start(pattern))
                values = self._seeker._inference.evaluate(node.cls, scope)  # noqa: SLF001
                self._use(before[-1], self._seeker.of_receiver(values))

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


_TYPE_PARAMETERS = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})
