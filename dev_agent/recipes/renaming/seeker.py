"""What a place spelled like the old name is, by what stands before it: a scope, a module, an object, a call.

It is asked of one target. Where the places are is `reading.py`'s.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.project import key_of
from dev_agent.recipes.renaming.scopes import How, Scope
from dev_agent.recipes.renaming.shapes import own_name
from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.values import (
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Module,
    Unknown,
    Values,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.target import Growing, Target


class Seeker:
    """Tells the target's uses from those of others who are called the same."""

    def __init__(self, inference: Inference, growing: Growing, target: Target) -> None:
        self._inference, self._growing, self.target = inference, growing, target
        self.project = inference.project
        self.old = target.name

    def in_scope(self, scope: Scope) -> Verdict:
        """Return what the bare name is in a scope."""
        owner = scope.owner(self.old) or scope.module
        return Verdict.OURS if owner in self.target.scopes else Verdict.OTHER

    def from_module(self, key: str) -> bool:
        """Return whether the name taken from a module is ours."""
        return self._growing.denotes(self.target, key, self.old)

    def is_target_module(self, keys: list[str]) -> bool:
        """Return whether any of these modules is the one renamed."""
        return any(key in self.target.modules for key in keys)

    def imported(self, node: ast.ImportFrom, alias: ast.alias, scope: Scope) -> bool:
        """Return whether what an import statement read in a scope takes, spelled so, is ours."""
        project, path = self.project, scope.source.path
        if self.target.member:
            return False
        keys = project.imported(node, path)
        if not keys:
            return not node.level and self.is_target_module(project.find(f"{node.module}.{alias.name}", path))
        if key_of(path) in keys and scope.parent is None:
            return any(self.is_target_module(project.submodule(key, alias.name)) for key in keys)
        return any(self.from_module(key) for key in keys)

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
        owners, _ = self._inference.members(scope, self.old)
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

    def field_pattern(self, node: ast.MatchClass, scope: Scope) -> Verdict:
        """Return what a keyword of a class pattern spelled so is."""
        return self.of_receiver(self._inference.evaluate(node.cls, scope))

    def keyword(self, node: ast.Call, scope: Scope) -> Verdict:
        """Return what a keyword argument spelled so is: ours where a call makes an object from its fields."""
        if not self.target.member:
            return Verdict.OTHER
        verdicts = {self._made_by(value, node, scope) for value in self._inference.evaluate(node.func, scope)}
        if Verdict.OURS in verdicts:
            return Verdict.OURS
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.OTHER

    def _made_by(self, value: object, node: ast.Call, scope: Scope) -> Verdict:
        last = own_name(node.func)
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
                if any(each.how is How.ANNOTATED for each in one.bindings.get(self.old, ())):
                    return Verdict.OURS
        return Verdict.OTHER
