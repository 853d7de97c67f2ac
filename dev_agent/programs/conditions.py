"""Binds the rules of a policy to the runtime's expression engine: the only place that knows both.

Each side keeps its own words for the same things; types and errors are translated here, caret included.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.policy.conditions import WordKind
from dev_agent.policy.errors import ConditionFailed, ConditionRefused
from dev_agent.runtime import conditions as engine
from dev_agent.runtime.errors import ConditionError, FactUnusable
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

_TYPES = {WordKind.BOOL: FactType.BOOL, WordKind.INT: FactType.INT, WordKind.LIST: FactType.LIST}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A condition of the runtime as policy sees it."""

    condition: engine.Condition

    @property
    def names(self) -> tuple[str, ...]:
        return self.condition.names

    @property
    def literals(self) -> tuple[int | str, ...]:
        return self.condition.literals

    def holds(self, words: Mapping[str, object]) -> bool:
        try:
            return self.condition.evaluate(words)
        except FactUnusable as fault:
            raise ConditionFailed(fault.message, fault.hint) from None


class RuntimeConditions:
    """The runtime's engine behind the interface policy asks for."""

    def compile(self, source: str, declared: Mapping[str, WordKind]) -> _Compiled:
        """The compiled condition. Raises ConditionRefused, whose message shows the place with a caret."""
        try:
            return _Compiled(engine.parse(source, {name: _TYPES[kind] for name, kind in declared.items()}))
        except ConditionError as error:
            raise ConditionRefused(str(error), error.hint) from None


CONDITIONS = RuntimeConditions()
