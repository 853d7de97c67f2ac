"""Names given as strings at run time: `getattr(x, "name")`, `globals()["name"]`, `monkeypatch.setattr(x, "name", ...)`.

On something that is or may be ours they are refused and named, but for a patch of an object known to be ours, whose
second argument says plainly what it is. A name that an f-string or a sum may build counts as the name.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.shapes import own_name
from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.values import Class, Foreign, Instance, Values

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.literals import Literals
    from dev_agent.recipes.renaming.scopes import Scope
    from dev_agent.recipes.renaming.seeker import Seeker

_ACCESS = frozenset(
    {"getattr", "setattr", "hasattr", "delattr", "getattr_static", "__getattribute__", "__setattr__"}
)
_GETTERS = frozenset({"attrgetter", "methodcaller"})
_CONVERSION = re.compile(r"%(?:\([^)]*\))?[^%a-zA-Z]*[a-zA-Z]")
_PATCHED = frozenset({"setattr", "delattr", "object"})


class Dynamic:
    """Judges calls and subscripts that take names as strings."""

    def __init__(self, inference: Inference, seeker: Seeker, literals: Literals) -> None:
        self._inference, self._seeker, self._literals = inference, seeker, literals

    def call(self, node: ast.Call, scope: Scope) -> None:
        """Judge the names a call is given as strings."""
        last = own_name(node.func)
        if last in _GETTERS:
            for one in node.args:
                if self._literals.is_name(one) and self._seeker.target.member:
                    self._literals.refuse(node, one)
        elif last in _PATCHED and isinstance(node.func, ast.Attribute) and len(node.args) >= 2:
            self._patched(node, scope)
        elif last in _ACCESS and len(node.args) >= (2 if isinstance(node.func, ast.Name) else 1):
            plain = isinstance(node.func, ast.Name) or len(node.args) >= 2
            receiver = node.args[0] if plain else getattr(node.func, "value", node.args[0])
            self._access(node, receiver, node.args[1] if plain else node.args[0], scope)
        elif last in {"get", "pop", "setdefault"} and isinstance(node.func, ast.Attribute) and node.args:
            self._mapping(node, node.func.value, node.args[0], scope)
        self._unpacked(node, scope)

    def subscript(self, node: ast.Subscript, scope: Scope) -> None:
        """Judge `namespace["name"]`."""
        self._mapping(node, node.value, node.slice, scope)

    def _access(self, node: ast.Call, receiver: ast.expr, name: ast.expr, scope: Scope) -> None:
        verdict = self._seeker.of_receiver(self._inference.evaluate(receiver, scope))
        if self._literals.is_name(name):
            if verdict is Verdict.OTHER:
                self._literals.done.add(id(name))
            else:
                self._literals.refuse(node, name)
        elif verdict is not Verdict.OTHER and self._builds(name):
            self._literals.refuse(node, name)
        elif verdict is Verdict.OURS and not isinstance(name, ast.Constant):
            self._literals.found.noted.append(node.lineno)

    def _builds(self, name: ast.expr) -> bool:
        """An f-string, sum, `%` or `.format` whose constant ends are those of the name."""
        if isinstance(name, ast.JoinedStr):
            ends = [
                one.value if isinstance(one, ast.Constant) else ""
                for one in (name.values[:1] + name.values[-1:])
            ]
        elif isinstance(name, ast.BinOp):
            sides = [one.value if isinstance(one, ast.Constant) else "" for one in (name.left, name.right)]
            ends = sides if isinstance(name.op, ast.Add) else _CONVERSION.split(str(sides[0]))
        elif (
            isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute) and name.func.attr == "format"
        ):
            template = name.func.value
            ends = re.split(r"\{[^}]*\}", str(template.value)) if isinstance(template, ast.Constant) else []
        else:
            return False
        first, last = (str(ends[0]), str(ends[-1])) if ends else ("", "")
        return (
            bool(first or last) and self._literals.old.startswith(first) and self._literals.old.endswith(last)
        )

    def _patched(self, node: ast.Call, scope: Scope) -> None:
        """`monkeypatch.setattr(thing, "name", ...)`, `patch.object(thing, "name")`."""
        name = node.args[1]
        if not self._literals.is_name(name):
            return
        verdict = self._seeker.of_receiver(self._inference.evaluate(node.args[0], scope))
        if verdict is Verdict.OURS:
            self._literals.done.add(id(name))
            self._literals.rename(name)
        elif verdict is not Verdict.OTHER:
            self._literals.refuse(node, name)

    def _mapping(self, node: ast.expr, mapping: ast.expr, name: ast.expr, scope: Scope) -> None:
        """`globals()["name"]`, `vars(x)["name"]`, `x.__dict__["name"]`, `Enum["NAME"]`."""
        if not self._literals.is_name(name):
            return
        verdict = self._namespace(mapping, scope)
        if verdict in {Verdict.OURS, Verdict.UNKNOWN, Verdict.MIXED}:
            self._literals.refuse(node, name)

    def _namespace(self, mapping: ast.expr, scope: Scope) -> Verdict:
        if isinstance(mapping, ast.Call) and isinstance(mapping.func, ast.Name):
            called = mapping.func.id
            if called in {"globals", "locals"}:
                return Verdict.OURS if scope.module in self._seeker.target.scopes else Verdict.OTHER
            if called == "vars":
                values: Values = self._inference.evaluate(mapping.args[0], scope) if mapping.args else ()
                return self._seeker.of_receiver(values)
        if isinstance(mapping, ast.Attribute) and mapping.attr in {
            "__dict__",
            "__members__",
            "__annotations__",
        }:
            return self._seeker.of_receiver(self._inference.evaluate(mapping.value, scope))
        values = self._inference.evaluate(mapping, scope)
        enums = [one for one in values if isinstance(one, Class) and is_enum(self._inference, one.scope)]
        return self._seeker.of_receiver(tuple(enums)) if enums else Verdict.OTHER

    def _unpacked(self, node: ast.Call, scope: Scope) -> None:
        """`Invoice(**row)` gives fields by strings that cannot be seen."""
        if self._seeker.target.member and any(one.arg is None for one in node.keywords):
            for value in self._inference.evaluate(node.func, scope):
                if isinstance(value, Class) and self._seeker.field(value.scope) is Verdict.OURS:
                    self._literals.found.dynamic.append(node.lineno)
        if node.args and own_name(node.func) == "asdict":
            values = self._inference.evaluate(node.args[0], scope)
            if any(isinstance(one, Instance) and one.scope in self._seeker.target.classes for one in values):
                self._literals.found.noted.append(node.lineno)


def is_enum(inference: Inference, scope: Scope) -> bool:
    """Return whether a class is an Enum, whose subscript takes a name."""
    return any(isinstance(one, Foreign) and "enum" in one.dotted for one in inference.ancestors(scope))
