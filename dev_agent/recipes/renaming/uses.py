"""Places that are spelled like the old name, and what each is: ours, another's, or not to be seen."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.scopes import Scope
    from dev_agent.recipes.renaming.source import Source


class Verdict(Enum):
    """What a place is."""

    OURS = "ours"
    OTHER = "another's"
    UNKNOWN = "not to be seen"
    MIXED = "ours or another's"


@dataclass(frozen=True, slots=True)
class Use:
    """An identifier: where it begins, what it is, and the position a type checker reports for it (UTF-8 column)."""

    start: int
    verdict: Verdict
    line: int = 0
    column: int = 0
    keyword: bool = False


@dataclass(slots=True)
class FileUses:
    """What was found in one file. `edits` are further replacements [start, end) -> text, each with its line."""

    source: Source
    uses: list[Use] = field(default_factory=list)
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    dynamic: list[int] = field(default_factory=list)
    strange: list[int] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)
    renamed_scopes: list[Scope] = field(default_factory=list)
