"""A file's nodes, each with the scope it is read in, and what every statement binds.

Python's own rules: a class scope is seen by its own body and by the type parameters right in it, and by nothing deeper;
the first iterable of a comprehension belongs to the outside; an assignment expression binds outside of comprehensions;
`global` and `nonlocal` lead elsewhere. The parameters of a function, the bases of a class and the value of a `type`
statement are read inside the scope of their type parameters (PEP 695), defaults and decorators outside of it.
"""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.python_text import type_parameters, type_statement
from dev_agent.recipes.renaming.scopes import Binding, FunctionNode, How, Scope, ScopeKind, method_class
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.source import Source

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """A node, the scope it is read in, and what is around it."""

    node: ast.AST
    scope: Scope
    parent: ast.AST
    annotation: bool
    fstring: ast.JoinedStr | None


@dataclass(slots=True)
class Walked:
    """A file's module scope and all its nodes in the order of `ast`."""

    scope: Scope
    visits: list[Visit] = field(default_factory=list)
    classes: list[Scope] = field(default_factory=list)


def walked(source: Source) -> Walked:
    """Walk a file. Raises RecursionError for absurd nesting."""
    walk = _Walk(source)
    walk.children(source.tree, walk.result.scope)
    return walk.result


class _Walk:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.result = Walked(Scope(ScopeKind.MODULE, source))
        self._hints: dict[int, tuple[How, ast.AST]] = {}
        self._annotation = False
        self._fstring: ast.JoinedStr | None = None

    def children(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope, node)

    def visit(self, node: ast.AST, scope: Scope, parent: ast.AST) -> None:
        self.result.visits.append(Visit(node, scope, parent, self._annotation, self._fstring))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            self._function(node, scope)
        elif isinstance(node, ast.ClassDef):
            self._class(node, scope)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope)
        elif (stated := type_statement(node)) is not None:
            self._type_alias(node, *stated, scope)
        elif isinstance(node, ast.JoinedStr):
            before, self._fstring = self._fstring, self._fstring or node
            self.children(node, scope)
            self._fstring = before
        else:
            self._simple(node, scope)

    def _simple(self, node: ast.AST, scope: Scope) -> None:
        self._hint(node)
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                self._store(node, scope)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, scope)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            scope.outer.update(dict.fromkeys(node.names, isinstance(node, ast.Global)))
        elif isinstance(node, ast.ExceptHandler) and node.name:
            hint = (How.CAUGHT, node.type) if node.type else (How.OPAQUE, node)
            scope.bind(node.name, Binding(hint[0], hint[1], scope, node.lineno))
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            inner = getattr(node, "pattern", None)
            how = (How.MATCHED, inner.cls) if isinstance(inner, ast.MatchClass) else (How.OPAQUE, node)
            scope.bind(node.name, Binding(how[0], how[1], scope, node.lineno))
        elif isinstance(node, ast.MatchMapping) and node.rest:
            scope.bind(node.rest, Binding(How.OPAQUE, node, scope, node.lineno))
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            self._member(node, scope)
        if isinstance(node, ast.AnnAssign):
            self._annotated(node, scope)
        else:
            self.children(node, scope)

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        self.visit(node.target, scope, node)
        self._in_annotation(node.annotation, scope, node)
        if node.value is not None:
            self.visit(node.value, scope, node)

    def _in_annotation(self, node: ast.AST | None, scope: Scope, parent: ast.AST) -> None:
        if node is not None:
            before, self._annotation = self._annotation, True
            self.visit(node, scope, parent)
            self._annotation = before

    def _hint(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, How.ASSIGNED, node.value)
        elif isinstance(node, ast.AnnAssign):
            self._target(node.target, How.ANNOTATED, node.annotation)
        elif isinstance(node, ast.NamedExpr):
            self._target(node.target, How.ASSIGNED, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._target(node.target, How.ITERATED, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._target(node.optional_vars, How.ENTERED, node.context_expr)

    def _target(self, target: ast.expr, how: How, value: ast.expr) -> None:
        if isinstance(target, (ast.Name, ast.Attribute)):
            self._hints[id(target)] = (how, value)
        elif (
            isinstance(target, (ast.Tuple, ast.List))
            and isinstance(value, (ast.Tuple, ast.List))
            and how is How.ASSIGNED
            and len(target.elts) == len(value.elts)
            and not any(isinstance(one, ast.Starred) for one in [*target.elts, *value.elts])
        ):
            for one, of in zip(target.elts, value.elts, strict=True):
                self._target(one, how, of)

    def _store(self, node: ast.Name, scope: Scope) -> None:
        how, value = self._hints.get(id(node), (How.OPAQUE, node))
        target = scope
        while target.kind is ScopeKind.COMPREHENSION and how is How.ASSIGNED and target.parent is not None:
            target = target.parent
        target.bind(node.id, Binding(how, value, scope, node.lineno))

    def _member(self, node: ast.Attribute, scope: Scope) -> None:
        home = _method_of(node.value, scope)
        if home is not None:
            how, value = self._hints.get(id(node), (How.OPAQUE, node))
            home.members.setdefault(node.attr, []).append(Binding(how, value, scope, node.lineno))

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            name = alias.asname or (
                alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name
            )
            if name != "*":
                scope.bind(name, Binding(How.IMPORTED, alias, scope, alias.lineno, node))

    def _function(self, node: FunctionNode | ast.Lambda, scope: Scope) -> None:
        name = "" if isinstance(node, ast.Lambda) else node.name
        if not isinstance(node, ast.Lambda):
            scope.bind(name, Binding(How.DEFINED, node, scope, node.lineno))
            for decorator in node.decorator_list:
                self.visit(decorator, scope, node)
        arguments = node.args
        for default in [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]:
            self.visit(default, scope, node)
        scope = self._type_parameters(node, scope)
        inner = Scope(ScopeKind.FUNCTION, self.source, scope, node, name)
        for argument in _parameters(arguments):
            inner.bind(argument.arg, Binding(How.PARAMETER, argument, inner, argument.lineno))
            self.result.visits.append(Visit(argument, inner, node, annotation=False, fstring=self._fstring))
            self._in_annotation(argument.annotation, scope, argument)
        if isinstance(node, ast.Lambda):
            self.visit(node.body, inner, node)
            return
        self._in_annotation(node.returns, scope, node)
        for statement in node.body:
            self.visit(statement, inner, node)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bind(node.name, Binding(How.DEFINED, node, scope, node.lineno))
        for decorator in node.decorator_list:
            self.visit(decorator, scope, node)
        scope = self._type_parameters(node, scope)
        for base in [*node.bases, *node.keywords]:
            self.visit(base, scope, node)
        inner = Scope(ScopeKind.CLASS, self.source, scope, node, node.name)
        self.result.classes.append(inner)
        for statement in node.body:
            self.visit(statement, inner, node)

    def _type_parameters(self, node: ast.AST, scope: Scope) -> Scope:
        parameters = type_parameters(node)
        if not parameters:
            return scope
        inner = Scope(ScopeKind.TYPE_PARAMETERS, self.source, scope, node)
        for parameter in parameters:
            name = getattr(parameter, "name", "")
            inner.bind(name, Binding(How.OPAQUE, parameter, inner, parameter.lineno))
        for parameter in parameters:
            self._in_annotation(parameter, inner, node)
        return inner

    def _type_alias(self, node: ast.AST, name: ast.Name, value: ast.expr, scope: Scope) -> None:
        inner = self._type_parameters(node, scope)
        # What a quoted or a generic one stands for is not told by its value alone.
        if inner is scope and not isinstance(value, ast.Constant):
            self._hints[id(name)] = (How.ASSIGNED, value)
        self.visit(name, scope, node)
        self._in_annotation(value, inner, node)

    def _comprehension(self, node: ast.AST, scope: Scope) -> None:
        inner = Scope(ScopeKind.COMPREHENSION, self.source, scope, node)
        generators: list[ast.comprehension] = getattr(node, "generators", [])
        for index, part in enumerate(generators):
            self._hint(part)
            self.visit(part.iter, inner if index else scope, part)
            self.visit(part.target, inner, part)
            for condition in part.ifs:
                self.visit(condition, inner, part)
        for label in ("key", "elt", "value"):
            element = getattr(node, label, None)
            if element is not None:
                self.visit(element, inner, node)


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [one for one in (arguments.vararg, arguments.kwarg) if one is not None]


def _method_of(receiver: ast.expr, scope: Scope) -> Scope | None:
    """Return the class whose instance a method's first parameter is, if the receiver is that parameter."""
    if not isinstance(receiver, ast.Name):
        return None
    owner = scope.owner(receiver.id)
    if owner is None or not isinstance(owner.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    first = [*owner.node.args.posonlyargs, *owner.node.args.args][:1]
    return method_class(owner) if first and first[0].arg == receiver.id else None
