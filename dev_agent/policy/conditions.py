"""What this package asks of an expression engine: the shape only, the engine itself is given from outside.

A rule's `when` is compiled once, when the policy is loaded, against the typed words of `vocabulary`, and
evaluated for every decision. An engine keeps two promises: what it cannot type-check it refuses at load, and
what it cannot evaluate it raises, so that neither ever passes for a silent False.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class WordKind(StrEnum):
    """The type of a word in a condition: true or false, a whole number, or a list of paths."""

    BOOL = "bool"
    INT = "int"
    LIST = "list"


class Condition(Protocol):
    """A compiled expression."""

    @property
    def names(self) -> tuple[str, ...]:
        """The words it looks at."""

    @property
    def literals(self) -> tuple[int | str, ...]:
        """The numbers and texts it compares them with."""

    def holds(self, words: Mapping[str, object]) -> bool:
        """Whether it is true of these words. Raises ConditionFailed."""


class Conditions(Protocol):
    """An engine."""

    def compile(self, source: str, declared: Mapping[str, WordKind]) -> Condition:
        """The condition a text says, over words of declared types. Raises ConditionRefused."""
