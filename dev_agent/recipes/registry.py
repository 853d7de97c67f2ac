"""The recipes there are: one module each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.recipes.annotations import Annotations
from dev_agent.recipes.fstrings import FStrings
from dev_agent.recipes.model import Declined
from dev_agent.recipes.modern_typing import ModernTyping
from dev_agent.recipes.rename import RECIPE as RENAME
from dev_agent.recipes.stock import StockCodemod
from dev_agent.recipes.strict_types import StrictTypes
from dev_agent.recipes.unused_imports import UnusedImports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.recipes.model import Job, Recipe

_ALL: tuple[Recipe, ...] = (
    RENAME,
    UnusedImports(),
    Annotations(),
    StrictTypes(),
    StockCodemod(),
    ModernTyping(),
    FStrings(),
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def find(task: str, recipes: Mapping[str, Recipe] = RECIPES) -> tuple[str, Job | Declined] | None:
    """The first recipe that takes the task, by name, and what it made of it; None if none does."""
    for name, recipe in recipes.items():
        job = recipe.read(task)
        if job is not None:
            return name, job
    return None
