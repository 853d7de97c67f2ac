"""What comes out of a thing by `[...]`, `for` and `with`: what a container holds, or what a class says itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.values import (
    UNKNOWN,
    Class,
    Foreign,
    ForeignInstance,
    Function,
    Instance,
    Unknown,
    Value,
    Values,
    unique,
    united,
)

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.evaluator import Evaluator
    from dev_agent.recipes.renaming.scopes import Scope

_ENTERED = frozenset(
    {"Iterator", "Generator", "AbstractContextManager", "ContextManager", "AsyncIterator", "AsyncGenerator"}
)


class Contents:
    """Looks into containers and context managers."""

    def __init__(self, inference: Evaluator) -> None:
        self._inference = inference

    def subscript(self, node: ast.Subscript, scope: Scope) -> Values:
        """Return what a subscript gives; of a class, the class."""
        values = self._inference.evaluate(node.value, scope)
        if any(isinstance(one, (Class, Foreign)) for one in values):
            return values
        found: list[Value] = []
        for one in values:
            if isinstance(one, ForeignInstance) and one.arguments:
                found += (one,) if isinstance(node.slice, ast.Slice) else one.arguments[-1]
            else:
                found += self._special(one, "__getitem__")
        return unique(found) or UNKNOWN

    def _special(self, value: Value, method: str) -> Values:
        if not isinstance(value, Instance):
            return UNKNOWN
        functions = self._inference.attribute((value,), method)
        return (
            united(self._inference.returned(one) for one in functions if isinstance(one, Function)) or UNKNOWN
        )

    def elements(self, values: Values) -> Values:
        """Return what iterating over these gives."""
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
        return unique(found) or UNKNOWN

    def entered(self, values: Values) -> Values:
        """Return what `with` gives a name for these."""
        found: list[Value] = []
        for one in values:
            if isinstance(one, ForeignInstance):
                inside = one.dotted.rpartition(".")[2] in _ENTERED and one.arguments
                found += one.arguments[0] if inside else UNKNOWN
            else:
                entered = self._special(one, "__enter__")
                found += entered if Unknown() not in entered else self._special(one, "__aenter__")
        return unique(found) or UNKNOWN
