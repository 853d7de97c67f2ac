"""`dev-agent recipes`: the tasks that need neither a patch nor a model."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson
from dev_agent.cli.pages.recipes import recipe_page, recipes_page
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.recipe_task import shipped_recipes

app = command_app()

Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The recipe to tell more about; all if left out.")
]


@app.command()
def recipes(name: Name = None, *, as_json: AsJson = False) -> int:
    """List the recipes, or tell what one of them understands.

    A task in such words needs no patch: `dev-agent apply "TASK"`, with --path to narrow where it works.
    """
    known = shipped_recipes()
    output = Session(directory=HERE, as_json=as_json).output
    if name is None:
        output.page(recipes_page(tuple(known.values())))
        return 0
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise UsageFault(
            f"there is no recipe {name!r}",
            hint=f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}",
        )
    output.page(recipe_page(known[name]))
    return 0
