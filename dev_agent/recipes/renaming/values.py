"""What an expression may stand for, as far as a look at the source can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dev_agent.recipes.renaming.scopes import FunctionNode, Scope


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project."""

    key: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project."""

    scope: Scope
    of_super: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method of the project, and the object it was taken from."""

    node: FunctionNode
    scope: Scope
    receiver: Instance | Class | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something from outside the project, by the name it was imported under."""

    dotted: str


@dataclass(frozen=True, slots=True)
class ForeignInstance:
    """An object of a class from outside; of a container, what its type arguments say is in it."""

    dotted: str
    arguments: tuple[tuple[Value, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything at all."""


Value = Module | Class | Instance | Function | Foreign | ForeignInstance | Unknown
Values = tuple[Value, ...]
"""Everything an expression may be; `Unknown` among them: there may be others."""

UNKNOWN: Values = (Unknown(),)


def unique(values: Iterable[Value]) -> Values:
    """Return the values without repetition, in the order in which they were first seen."""
    return tuple(dict.fromkeys(values))


def united(many: Iterable[Values]) -> Values:
    """Return what may be any of these."""
    return unique(value for values in many for value in values)


def made(callees: Values) -> Values:
    """Return what calling these as classes makes: what an annotation that names them promises."""
    found: list[Value] = []
    for one in callees:
        if isinstance(one, Class):
            found.append(Instance(one.scope))
        else:
            found.append(ForeignInstance(one.dotted) if isinstance(one, Foreign) else Unknown())
    return tuple(found)
