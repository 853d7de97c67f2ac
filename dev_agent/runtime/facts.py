"""Values of declared facts: has a value exactly the type that was declared for it?

Exact means exact: bool is not int, and no subclass passes, so no foreign code runs when a fact is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dev_agent.runtime.errors import FactUnusable, MissingFact
from dev_agent.runtime.states import FactType

Plain: TypeAlias = "bool | int | str | tuple[Plain, ...]"
Lookup: TypeAlias = Mapping[str, object]

_EXACT: Mapping[FactType, type] = {FactType.BOOL: bool, FactType.INT: int, FactType.STR: str}


def has_type(value: object, kind: FactType) -> bool:
    """Return whether a plain or frozen value is exactly of a declared type; no value is a payload."""
    if kind is FactType.JSON:
        return True
    if kind is FactType.PAYLOAD:
        return False
    if kind is FactType.LIST:
        return type(value) in (list, tuple) and all(type(item) is str for item in value)  # type: ignore[attr-defined]
    return type(value) is _EXACT[kind]


def value_of(facts: Lookup, name: str, kind: FactType) -> Plain:
    """Return a fact as conditions compare it: lists as tuples. Raises MissingFact, FactUnusable."""
    if name not in facts:
        raise MissingFact(name, f"{name} was never recorded in this run", "test the state's visits first")
    value = facts[name]
    if not has_type(value, kind):
        raise FactUnusable(
            name, f"{name} is {type(value).__name__}, declared {kind}", "correct the action that records it"
        )
    return tuple(value) if kind is FactType.LIST else value  # type: ignore[return-value, arg-type]
