"""What names and expressions stand for, project-wide: imports followed, annotations read, simple assignments believed.

`evaluate` gives every value an expression may have that can be seen from the source; `Unknown` among them means that
there may be others. Nothing is executed. Where a type checker knows more, it is asked elsewhere.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import How, Scope, ScopeKind, method_class
from dev_agent.recipes.renaming.shapes import (
    decorated,
    is_fixture,
    is_property,
    method_kind,
    own_nodes,
    yields,
)
from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Module,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev_agent.recipes.renaming.project import Project
    from dev_agent.recipes.renaming.scopes import Binding, FunctionNode

Values = tuple[Value, ...]

_TRANSPARENT = frozenset(
    {"Optional", "Union", "Annotated", "ClassVar", "Final", "Required", "NotRequired", "InitVar", "ReadOnly"}
)
_SECOND = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "DefaultDict"}
)
_ENTERED = frozenset(
    {"Iterator", "Generator", "AbstractContextManager", "ContextManager", "AsyncIterator", "AsyncGenerator"}
)
_SAME = frozenset({"copy", "deepcopy", "replace", "closing", "cast"})
_ITERABLE_CALLS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "deque"})
_DEPTH = 60


class Inference:
    """Evaluates expressions of the project's files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[tuple[int, int], Values] = {}
        self._open: set[tuple[int, int]] = set()
        self._members: dict[tuple[int, str], tuple[list[tuple[Scope, list[Binding]]], bool]] = {}
        self._class_of: dict[int, Scope] = {}
        self._kept: list[ast.AST] = []

    def keep(self, node: ast.AST) -> None:
        """Keep a tree made aside for as long as what is known of it."""
        self._kept.append(node)

    # -- names ---------------------------------------------------------------------------------------------------

    def name(self, name: str, scope: Scope) -> Values:
        """Return what a name read in a scope stands for."""
        owner = scope.owner(name)
        if owner is None:
            found = self._starred(scope.module, name)
            if found:
                return found
            return (Foreign(f"builtins.{name}"),) if hasattr(builtins, name) else UNKNOWN
        return self.bound(owner, name)

    def bound(self, owner: Scope, name: str) -> Values:
        """Return what a name of a scope stands for, over all its bindings."""
        return self._once(
            owner,
            hash(name),
            lambda: _united(self.binding(one, name) for one in owner.bindings.get(name, ())),
        )

    def member_of_module(self, key: str, name: str) -> Values:
        """Return what an attribute of a module stands for."""
        found: list[Value] = []
        for file in self.project.files(key):
            if name in file.scope.bindings:
                found += self.bound(file.scope, name)
            else:
                found += self._starred(file.scope, name)
        if not found:
            found += [Module(one) for one in self.project.submodule(key, name)]
        return _unique(found) or UNKNOWN

    def _starred(self, module: Scope, name: str) -> Values:
        if name.startswith("__"):
            return ()
        return self._once(module, hash(("*", name)), lambda: self._star(module, name), ())

    def _star(self, module: Scope, name: str) -> Values:
        for statement in stars(self.project, module):
            for key in self.project.imported(statement, module.source.path):
                for file in self.project.files(key):
                    found = (
                        self.bound(file.scope, name)
                        if name in file.scope.bindings
                        else self._starred(file.scope, name)
                    )
                    if found:
                        return found
        return ()

    def binding(self, binding: Binding, name: str) -> Values:  # noqa: PLR0911 - one line a kind
        """Return what one binding gives a name."""
        node, scope = binding.node, binding.scope
        if binding.how is How.DEFINED:
            return self._defined(node, scope)
        if binding.how is How.IMPORTED and isinstance(node, ast.alias):
            return self._imported(binding, node, name)
        if binding.how is How.PARAMETER and isinstance(node, ast.arg):
            return self._parameter(node, scope)
        if not isinstance(node, ast.expr):
            return UNKNOWN
        if binding.how is How.ASSIGNED:
            return self.evaluate(node, scope)
        if binding.how is How.ANNOTATED:
            return self.annotated(node, scope)
        if binding.how is How.ITERATED:
            return self._elements(self.evaluate(node, scope))
        if binding.how is How.ENTERED:
            return self._entered(self.evaluate(node, scope))
        if binding.how is How.CAUGHT:
            parts = node.elts if isinstance(node, ast.Tuple) else [node]
            return _united(self._made(self.evaluate(part, scope)) for part in parts)
        if binding.how is How.MATCHED:
            return self._made(self.evaluate(node, scope))
        return UNKNOWN

    def _defined(self, node: ast.AST, scope: Scope) -> Values:
        if isinstance(node, ast.ClassDef):
            found = self.class_scope(node, scope)
            return (Class(found),) if found else UNKNOWN
        return (
            (Function(node, scope),) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else UNKNOWN
        )

    def class_scope(self, node: ast.ClassDef, scope: Scope) -> Scope | None:
        """Return the scope of a class statement's body."""
        if id(node) not in self._class_of:
            for one in self.project.file(scope.source.path).classes:
                self._class_of[id(one.node)] = one
        return self._class_of.get(id(node))

    def _imported(self, binding: Binding, alias: ast.alias, name: str) -> Values:
        path = binding.scope.source.path
        statement = binding.statement
        if isinstance(statement, ast.ImportFrom):
            keys = self.project.imported(statement, path)
            if keys:
                return _united(self._from(key, alias.name, binding) for key in keys)
            if statement.level:
                return UNKNOWN
            inner = self.project.find(f"{statement.module}.{alias.name}", path)
            return tuple(Module(key) for key in inner) or (Foreign(f"{statement.module}.{alias.name}"),)
        dotted = alias.name if alias.asname else name
        return tuple(Module(key) for key in self.project.find(dotted, path)) or (Foreign(dotted),)

    def _from(self, key: str, name: str, binding: Binding) -> Values:
        own = binding.scope.kind is ScopeKind.MODULE and key_of(binding.scope.source.path) == key
        if own:  # `from . import core` in the package itself reads the submodule
            return tuple(Module(one) for one in self.project.submodule(key, name)) or UNKNOWN
        return self.member_of_module(key, name)

    def _parameter(self, node: ast.arg, scope: Scope) -> Values:
        function = scope.node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return UNKNOWN
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        home = method_class(scope)
        if home is not None and positional and positional[0] is node:
            kind = method_kind(function)
            if kind != "staticmethod":
                return (Class(home),) if kind == "classmethod" else (Instance(home),)
        if node.annotation is None:
            return self._fixture(node.arg, scope, function)
        inner = scope.parent or scope
        value = self.annotated(node.annotation, inner)
        if node is arguments.vararg:
            return (ForeignInstance("builtins.tuple", (value,)),)
        if node is arguments.kwarg:
            return (ForeignInstance("builtins.dict", ((), value)),)
        return value

    def _fixture(self, name: str, scope: Scope, function: FunctionNode) -> Values:
        """A parameter of a pytest test or fixture gets what the fixture of that name, nearest to it, gives."""
        if not (function.name.startswith("test") or is_fixture(function)):
            return UNKNOWN
        home = method_class(scope)
        if home is not None and name in home.bindings:
            return self._fixture_value(home, name)
        path = scope.source.path
        folder, keys = path.rpartition("/")[0], [key_of(path)]
        while True:
            keys.append(f"{folder}/conftest" if folder else "conftest")
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        for key in keys:
            for file in self.project.files(key):
                if name in file.scope.bindings:
                    return self._fixture_value(file.scope, name)
        return UNKNOWN

    def _fixture_value(self, scope: Scope, name: str) -> Values:
        found: list[Value] = []
        for value in self.bound(scope, name):
            if isinstance(value, Function) and is_fixture(value.node):
                result = self.returned(value)
                found += self._entered(result) if yields(value.node) and value.node.returns else result
        return _unique(found) or UNKNOWN

    # -- expressions ---------------------------------------------------------------------------------------------

    def evaluate(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression read in a scope may be."""
        return self._once(node, id(scope), lambda: self._evaluate(node, scope))

    def _evaluate(self, node: ast.expr, scope: Scope) -> Values:  # noqa: C901, PLR0911, PLR0912 - one line a kind
        if isinstance(node, ast.Name):
            return self.name(node.id, scope)
        if isinstance(node, ast.Attribute):
            return self.attribute(self.evaluate(node.value, scope), node.attr)
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
            return self.evaluate(node.value, scope)
        if isinstance(node, ast.BoolOp):
            return _united(self.evaluate(one, scope) for one in node.values)
        if isinstance(node, ast.IfExp):
            return _united(self.evaluate(one, scope) for one in (node.body, node.orelse))
        if isinstance(node, ast.Constant):
            return (ForeignInstance(f"builtins.{type(node.value).__name__}"),)
        if isinstance(node, ast.JoinedStr):
            return (ForeignInstance("builtins.str"),)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return (
                ForeignInstance("builtins.list", (_united(self.evaluate(one, scope) for one in node.elts),)),
            )
        if isinstance(node, ast.Dict):
            values = _united(self.evaluate(one, scope) for one in node.values)
            return (ForeignInstance("builtins.dict", ((), values)),)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return (ForeignInstance("builtins.list", (UNKNOWN,)),)
        if isinstance(node, ast.DictComp):
            return (ForeignInstance("builtins.dict"),)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope)
        if isinstance(node, ast.Lambda):
            return (Foreign("types.LambdaType"),)
        if isinstance(node, ast.Compare):
            return UNKNOWN
        return UNKNOWN

    def attribute(self, receivers: Values, name: str) -> Values:
        """Return what an attribute of these values may be."""
        return _united(self._attribute(one, name) for one in receivers) or UNKNOWN

    def _attribute(self, receiver: Value, name: str) -> Values:
        if isinstance(receiver, Module):
            return self.member_of_module(receiver.key, name)
        if isinstance(receiver, Foreign):
            inner = self.project.find(f"{receiver.dotted}.{name}")
            return tuple(Module(key) for key in inner) or (Foreign(f"{receiver.dotted}.{name}"),)
        if isinstance(receiver, (Instance, Class)):
            if name == "__class__" and isinstance(receiver, Instance):
                return (Class(receiver.scope),)
            found, _ = self.members(receiver.scope, name)
            skip = isinstance(receiver, Instance) and receiver.of_super
            found = [one for one in found if not (skip and one[0] is receiver.scope)]
            return (
                _united(self._member(one, name, receiver) for _, some in found[:1] for one in some) or UNKNOWN
            )
        return (
            UNKNOWN if not isinstance(receiver, ForeignInstance) else self._foreign_attribute(receiver, name)
        )

    def _foreign_attribute(self, receiver: ForeignInstance, name: str) -> Values:
        return (
            (ForeignInstance(f"{receiver.dotted}.{name}", receiver.arguments),)
            if receiver.arguments
            else UNKNOWN
        )

    def _member(self, binding: Binding, name: str, receiver: Instance | Class) -> Values:
        values = self.binding(binding, name)
        found: list[Value] = []
        for value in values:
            if isinstance(value, Function) and value.scope.kind is ScopeKind.CLASS:
                bound = Function(value.node, value.scope, receiver)
                found += (
                    self.returned(bound)
                    if is_property(value.node) and isinstance(receiver, Instance)
                    else [bound]
                )
            else:
                found.append(value)
        return tuple(found)

    def members(self, scope: Scope, name: str) -> tuple[list[tuple[Scope, list[Binding]]], bool]:
        """Return who defines a member, nearest class first, and whether a class from outside may define it too."""
        known = (id(scope), name)
        if known not in self._members:
            found, outside = [], False
            for one in self.ancestors(scope):
                if isinstance(one, Scope):
                    bindings = [*one.bindings.get(name, ()), *one.members.get(name, ())]
                    if bindings:
                        found.append((one, bindings))
                else:
                    outside = outside or one.dotted not in HARMLESS
            self._members[known] = (found, outside)
        return self._members[known]

    def ancestors(self, scope: Scope) -> list[Scope | Foreign]:
        """Return a class and all classes above it, itself first; those from outside (or not known) by name."""
        found: list[Scope | Foreign] = []
        queue: list[Scope | Foreign] = [scope]
        while queue:
            one = queue.pop(0)
            if one not in found:
                found.append(one)
                if isinstance(one, Scope):
                    queue += self.bases(one)
        return found

    def bases(self, scope: Scope) -> list[Scope | Foreign]:
        """Return the classes a class statement derives from."""
        node, found = scope.node, list[Scope | Foreign]()
        if not isinstance(node, ast.ClassDef):
            return found
        outer = scope.parent or scope
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            for value in self.evaluate(plain, outer):
                if isinstance(value, Class):
                    found.append(value.scope)
                else:
                    found.append(Foreign(value.dotted if isinstance(value, Foreign) else ast.unparse(plain)))
        return found

    def _call(self, node: ast.Call, scope: Scope) -> Values:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args:
            return self._super(scope)
        found: list[Value] = []
        for callee in self.evaluate(node.func, scope):
            if isinstance(callee, (Class, Function)):
                found += self._made((callee,)) if isinstance(callee, Class) else self.returned(callee)
            elif isinstance(callee, Foreign):
                found += self._foreign_call(callee, node, scope)
            elif isinstance(callee, ForeignInstance):
                found += _container_call(callee)
            else:
                found += UNKNOWN
        return _unique(found) or UNKNOWN

    def _foreign_call(self, callee: Foreign, node: ast.Call, scope: Scope) -> Values:
        last = callee.dotted.rpartition(".")[2]
        first = node.args[0] if node.args else None
        if last == "super" and first is not None:
            return self._super(scope)
        if last == "cast" and len(node.args) == 2 and first is not None:
            return self.annotated(first, scope)
        if last == "type" and first is not None and len(node.args) == 1:
            inner = self.evaluate(first, scope)
            return tuple(Class(one.scope) for one in inner if isinstance(one, Instance)) or UNKNOWN
        if last in _SAME and first is not None:
            return self.evaluate(first, scope)
        if last in _ITERABLE_CALLS:
            inner = self._elements(self.evaluate(first, scope)) if first is not None else ()
            return (ForeignInstance("builtins.list", (inner,)),)
        if last in {"next", "min", "max"} and first is not None:
            return self._elements(self.evaluate(first, scope))
        is_class = last[:1].isupper() or callee.dotted in _BUILTIN_TYPES
        return UNKNOWN if not is_class or "Mock" in last else (ForeignInstance(callee.dotted),)

    def _super(self, scope: Scope) -> Values:
        walk: Scope | None = scope
        while walk is not None:
            home = method_class(walk) if walk.kind is ScopeKind.FUNCTION else None
            if home is not None:
                return (Instance(home, of_super=True),)
            walk = walk.parent
        return UNKNOWN

    @staticmethod
    def _made(callees: Values) -> Values:
        found: list[Value] = []
        for one in callees:
            if isinstance(one, Class):
                found.append(Instance(one.scope))
            else:
                found.append(ForeignInstance(one.dotted) if isinstance(one, Foreign) else Unknown())
        return tuple(found)

    def returned(self, function: Function) -> Values:
        """Return what a call of a function gives, by its annotation or, without one, by its return statements."""
        node = function.node
        inner = self._inner_scope(function)
        if node.returns is not None:
            return self.annotated(node.returns, function.scope, function.receiver)
        if inner is None or decorated(node):
            return UNKNOWN
        fixture = is_fixture(node)
        results = [
            one.value
            for one in own_nodes(node)
            if (isinstance(one, ast.Return) or (fixture and isinstance(one, ast.Yield)))
            and one.value is not None
        ]
        if not fixture and yields(node):
            return UNKNOWN
        return _united(self.evaluate(one, inner) for one in results)

    def _inner_scope(self, function: Function) -> Scope | None:
        return next(
            (
                visit.scope
                for visit in self.project.file(function.scope.source.path).visits
                if visit.parent is function.node and visit.node in function.node.body
            ),
            None,
        )

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Values:
        values = self.evaluate(node.value, scope)
        if any(isinstance(one, (Class, Foreign)) for one in values):
            return values
        found: list[Value] = []
        for one in values:
            if isinstance(one, ForeignInstance) and one.arguments:
                found += (one,) if isinstance(node.slice, ast.Slice) else one.arguments[-1]
            else:
                found += self._special(one, "__getitem__")
        return _unique(found) or UNKNOWN

    def _special(self, value: Value, method: str) -> Values:
        if not isinstance(value, Instance):
            return UNKNOWN
        functions = self._attribute(value, method)
        return _united(self.returned(one) for one in functions if isinstance(one, Function)) or UNKNOWN

    def _elements(self, values: Values) -> Values:
        found: list[Value] = []
        for one in values:
            if isinstance(one, ForeignInstance):
                found += one.arguments[0] if one.arguments else UNKNOWN
            elif isinstance(one, Class):
                found.append(Instance(one.scope))  # an Enum
            else:
                for made in self._special(one, "__iter__"):
                    found += (
                        made.arguments[0] if isinstance(made, ForeignInstance) and made.arguments else UNKNOWN
                    )
        return _unique(found) or UNKNOWN

    def _entered(self, values: Values) -> Values:
        found: list[Value] = []
        for one in values:
            if isinstance(one, ForeignInstance):
                inside = one.dotted.rpartition(".")[2] in _ENTERED and one.arguments
                found += one.arguments[0] if inside else UNKNOWN
            else:
                entered = self._special(one, "__enter__")
                found += entered if Unknown() not in entered else self._special(one, "__aenter__")
        return _unique(found) or UNKNOWN

    # -- annotations ---------------------------------------------------------------------------------------------

    def annotated(self, node: ast.expr, scope: Scope, receiver: Instance | Class | None = None) -> Values:
        """Return what a thing with this annotation may be."""
        if isinstance(node, ast.Constant):
            return self._annotation_text(node.value, scope, receiver)
        if isinstance(node, ast.BinOp):
            return _united(self.annotated(one, scope, receiver) for one in (node.left, node.right))
        if isinstance(node, ast.Subscript):
            return self._generic(node, scope, receiver)
        values = self.evaluate(node, scope)
        last = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if last == "Self":
            return (Instance(receiver.scope),) if receiver is not None else self._enclosing(scope)
        if last in {"Any", "object"}:
            return UNKNOWN
        alias = self._alias(node, scope)
        return alias or self._made(values)

    def _alias(self, node: ast.expr, scope: Scope) -> Values:
        """A name bound to `A | B`, `Optional[A]` or a TypeVar means what those mean."""
        owner = scope.owner(node.id) if isinstance(node, ast.Name) else None
        if owner is None or not isinstance(node, ast.Name):
            return ()
        found: list[Value] = []
        for one in owner.bindings[node.id]:
            value = one.node
            if one.how is not How.ASSIGNED or value is node:
                continue
            if isinstance(value, (ast.BinOp, ast.Subscript)):
                found += self._once(value, 1, lambda value=value, one=one: self.annotated(value, one.scope))
            elif (
                isinstance(value, ast.Call)
                and getattr(value.func, "id", getattr(value.func, "attr", "")) == "TypeVar"
            ):
                bound = [each.value for each in value.keywords if each.arg == "bound"]
                found += self.annotated(bound[0], one.scope) if bound else UNKNOWN
        return _unique(found)

    def _annotation_text(self, value: object, scope: Scope, receiver: Instance | Class | None) -> Values:
        if not isinstance(value, str):
            return (ForeignInstance("builtins.NoneType"),)
        try:
            inner = ast.parse(value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return UNKNOWN
        self._kept.append(inner)  # what is known of an expression is kept by its id, which must stay taken
        return self.annotated(inner, scope, receiver)

    def _generic(self, node: ast.Subscript, scope: Scope, receiver: Instance | Class | None) -> Values:
        base = node.value
        last = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if last in _TRANSPARENT:
            return _united(
                self.annotated(one, scope, receiver) for one in (parts[:1] if last == "Annotated" else parts)
            )
        if last in {"type", "Type"}:
            inner = self.annotated(parts[0], scope, receiver)
            return tuple(Class(one.scope) if isinstance(one, Instance) else Unknown() for one in inner)
        if last in {"Literal", "Callable"}:
            return (Foreign(f"typing.{last}"),) if last == "Literal" else UNKNOWN
        if last in {"Awaitable", "Coroutine"}:
            return self.annotated(parts[-1], scope, receiver)
        made = self._made(self.evaluate(base, scope))
        if any(isinstance(one, Instance) for one in made):
            return made
        arguments = tuple(self.annotated(one, scope, receiver) for one in parts)
        if last in {"tuple", "Tuple"}:
            arguments = (_united(arguments),)
        return (
            tuple(ForeignInstance(one.dotted, arguments) for one in made if isinstance(one, ForeignInstance))
            or UNKNOWN
        )

    @staticmethod
    def _enclosing(scope: Scope) -> Values:
        walk: Scope | None = scope
        while walk is not None:
            if walk.kind is ScopeKind.CLASS:
                return (Instance(walk),)
            walk = walk.parent
        return UNKNOWN

    # -- once ----------------------------------------------------------------------------------------------------

    def _once(self, thing: object, more: int, compute: object, cyclic: Values = UNKNOWN) -> Values:
        key = (id(thing), more)
        if key in self._known:
            return self._known[key]
        if key in self._open or len(self._open) > _DEPTH:
            return cyclic
        self._open.add(key)
        try:
            found: Values = compute()  # type: ignore[operator]
        finally:
            self._open.discard(key)
        if not self._open or Unknown() not in found:
            self._known[key] = found
        return found


HARMLESS = frozenset(
    {"builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC", "typing_extensions.Protocol"}
)
_BUILTIN_TYPES = frozenset(
    f"builtins.{name}" for name, value in vars(builtins).items() if isinstance(value, type)
)


def stars(project: Project, module: Scope) -> list[ast.ImportFrom]:
    """Return a module's star imports."""
    return [
        visit.node
        for visit in project.file(module.source.path).visits
        if isinstance(visit.node, ast.ImportFrom) and visit.node.names[0].name == "*"
    ]


def _container_call(callee: ForeignInstance) -> Values:
    """`d.values()`, `d.get(k)`, `d.items()`, `xs.pop()` of a container whose content is known."""
    method = callee.dotted.rpartition(".")[2]
    if method in {"get", "pop", "popleft", "setdefault"} and callee.arguments:
        return callee.arguments[-1]
    if method in {"values", "copy", "keys"} and callee.arguments:
        content = callee.arguments[0] if method == "keys" else callee.arguments[-1]
        return (ForeignInstance("builtins.list", (content,)),) if method != "copy" else UNKNOWN
    return UNKNOWN


def _unique(values: Iterable[Value]) -> Values:
    return tuple(dict.fromkeys(values))


def _united(many: Iterable[Values]) -> Values:
    return _unique(value for values in many for value in values)
