"""The recipes there are, and what each understands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Fit, Line, Page, Style, line, prose, span

if TYPE_CHECKING:
    from dev_agent.recipes.model import Recipe


def recipes_page(recipes: Sequence[Recipe]) -> Page:
    """A row a recipe, then a task of each as a user types it."""
    width = max((len(one.name) for one in recipes), default=0) + 2
    return Page(
        data={"recipes": [_plain(one) for one in recipes]},
        lines=(
            *(_row(one, width) for one in recipes),
            line(""),
            line(span("For example", Style.STRONG)),
            *(_example(one.examples[0]) for one in recipes if one.examples),
            line(""),
            *prose(
                "`dev-agent recipes NAME` shows all that one understands; `--path` narrows where it works."
            ),
        ),
    )


def recipe_page(recipe: Recipe) -> Page:
    """Its summary, and every example."""
    return Page(
        data=_plain(recipe),
        lines=(
            line(span(recipe.name, Style.NAME), span(f"  {recipe.summary}")),
            line(""),
            *map(_example, recipe.examples),
        ),
    )


def _row(recipe: Recipe, width: int) -> Line:
    """Name and summary, continued below the summary where the terminal ends."""
    name = span(f"{recipe.name:<{width}}", Style.NAME)
    return Line(spans=(name, span(recipe.summary)), indent=width, fit=Fit.WRAP)


def _example(task: str) -> Line:
    return line(span("dev-agent apply ", Style.DIM), span(shlex.quote(task)), indent=2)


def _plain(recipe: Recipe) -> dict[str, Any]:
    """A value of the contract: `name`, `summary`, `examples`."""
    return {"name": recipe.name, "summary": recipe.summary, "examples": list(recipe.examples)}
