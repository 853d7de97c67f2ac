"""Switching one defence off: a name in a module stands for something harmless while inside.

Only the laboratory may do this, in its own process, for one attack at a time. There is no setting, flag or variable
outside of it that does the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


def without(place: str, replacement: Any) -> Callable[[], AbstractContextManager[None]]:
    """A switch for the name at `place` ("module:name" or "module:Class.name").

    A place that does not exist is an error when the switch is used: a defence that was renamed must not be thought off.
    """

    @contextmanager
    def switched() -> Iterator[None]:
        holder, name = _found(place)
        known = holder.__dict__[name]
        setattr(holder, name, replacement)
        try:
            yield
        finally:
            setattr(holder, name, known)

    return switched


def all_of(
    *switches: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    """One switch for a defence that stands in several places."""

    @contextmanager
    def switched() -> Iterator[None]:
        if not switches:
            yield
            return
        with switches[0](), all_of(*switches[1:])():
            yield

    return switched


def _found(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    holder: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for owner in owners:
        holder = getattr(holder, owner)
    if name not in holder.__dict__:
        raise AssertionError(f"BUG: the laboratory knows a defence at {place}, and there is none")
    return holder, name
