"""Values out of a trace, checked as they are read: it may have been touched by anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

E = TypeVar("E")


def count(value: Any) -> int:
    """A whole number that is not negative. Raises ValueError for anything else, True and False included."""
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def text(value: Any) -> str:
    """A text. Raises TypeError for anything else."""
    if type(value) is not str:
        raise TypeError("not a text")
    return value


def flag(value: Any) -> bool:
    """Yes or no. Raises TypeError for anything else."""
    if type(value) is not bool:
        raise TypeError("not yes or no")
    return value


def event_of(
    data: Mapping[str, Any], kinds: Mapping[str, type[E]], value: Callable[[str, Any], Any]
) -> E | None:
    """The event an object stands for, by its field `event` and exactly the fields of that kind; None for none.

    `value` makes a field of what was recorded, and raises TypeError, ValueError or KeyError for what it cannot be.
    """
    kind = kinds.get(str(data.get("event")))
    given = {name: one for name, one in data.items() if name != "event"}
    if kind is None or set(given) != {one.name for one in fields(kind)}:  # type: ignore[arg-type] # all are dataclasses
        return None
    try:
        return kind(**{name: value(name, one) for name, one in given.items()})
    except (TypeError, ValueError, KeyError):
        return None
