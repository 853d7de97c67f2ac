"""The recipes there are: one module each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.recipes.model import Declined
from dev_agent.recipes.rename import RECIPE as RENAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.recipes.model import Job, Recipe

RECIPES: Mapping[str, Recipe] = {one.name: one for one in (RENAME,)}


def find(task: str) -> tuple[str, Job | Declined] | None:
    """The first recipe that takes the task, by name, and what it made of it; None if none does."""
    for name, recipe in RECIPES.items():
        job = recipe.read(task)
        if job is not None:
            return name, job
    return None
