"""Who is to propose: the patch that is given, a recipe that understands the task, the model that is set up.

`auto` takes the first of these there is, in this order: what costs nothing and surprises nobody comes first. Whoever is
named is taken, or refused with what is missing; nobody else steps in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.models import RECORDED, model_task
from dev_agent.programs.recipe_task import NotUnderstood, read_task
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.models import ModelChoice
    from dev_agent.programs.proposers import ModelTask, RecipeTask
    from dev_agent.programs.spending import Spending


_A_MODEL = "a model: set ANTHROPIC_API_KEY, or name a service with --base-url and --model; see docs/models.md"


class Who(StrEnum):
    """Who proposes. All but the first three are models."""

    AUTO = "auto"
    RECIPES = "recipes"
    PATCH = "patch"
    ANTHROPIC = "anthropic"
    BEDROCK = "anthropic-bedrock"
    VERTEX = "anthropic-vertex"
    OPENAI = "openai"
    RECORDED = "recorded"

    @property
    def is_model(self) -> bool:
        """True if a model is named."""
        return self not in (Who.AUTO, Who.RECIPES, Who.PATCH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a caller says of who is to propose. `patched`: a patch is given; `paths`: where others may look or write."""

    who: Who
    patched: bool
    paths: tuple[str, ...]
    model: ModelChoice
    spending: Spending


def proposer_for(task: str, wish: Wish, *, environ: Mapping[str, str]) -> RecipeTask | ModelTask | None:
    """Who proposes; None: the patch does. Raises UsageFault for words that contradict each other, or if nobody can."""
    require_sense(wish)
    if wish.patched:
        return None
    if wish.who.is_model:
        return _model(wish, environ)
    try:
        return read_task(task, wish.paths)
    except NotUnderstood as refused:
        if wish.who is Who.RECIPES:
            raise
        found = _model(wish, environ)
        if found is None:
            said = "no recipe understands this task, no patch is given, and no model is set up"
            raise UsageFault(said, hint=f"{refused.hint}\n{_A_MODEL}") from None
        return found


def _model(wish: Wish, environ: Mapping[str, str]) -> ModelTask | None:
    named = wish.who.value if wish.who.is_model else None
    choice = replace(wish.model, flags={**wish.model.flags, "proposer": named})
    # The variable of this name holds the caller's wish, which was read already, and it may say `auto`.
    others = {name: value for name, value in environ.items() if name != "DEV_AGENT_PROPOSER"}
    return model_task(choice, environ=others, spending=wish.spending, paths=wish.paths)


def require_sense(wish: Wish) -> None:
    """Refuse words that contradict each other, before anything is read: guessing which is meant would be choosing.

    Raises UsageFault.
    """
    if wish.patched and wish.who not in (Who.AUTO, Who.PATCH):
        named = "a recipe" if wish.who is Who.RECIPES else f"the model of {wish.who}"
        raise UsageFault(f"{named} is to propose, and a patch is given", hint="leave one of them out")
    if wish.who is Who.PATCH and not wish.patched:
        raise UsageFault(
            "no change is proposed: --patch is missing",
            hint="write --patch FILE, or --patch - to read it from standard input",
        )
    if wish.patched and wish.paths:
        raise UsageFault(
            "--path tells a recipe or a model where to work, and a patch is given", hint="leave --path out"
        )
    if wish.model.cassette is not None and wish.who not in (Who.AUTO, Who.RECORDED):
        raise UsageFault(
            f"--cassette plays a recording, and {wish.who} is to propose", hint=f"write --proposer {RECORDED}"
        )
    if wish.model.record is not None and (wish.patched or wish.model.cassette or wish.who is Who.RECIPES):
        raise UsageFault(
            "--record keeps a model's answers, and no model is to be asked", hint="leave --record out"
        )
