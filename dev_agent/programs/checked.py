"""Values out of a trace, checked as they are read: it may have been touched by anybody."""

from __future__ import annotations

from typing import Any


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
