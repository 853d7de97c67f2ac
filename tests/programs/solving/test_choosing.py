"""Who is to propose: the first that can, in a fixed order, or a refusal with the ways that are left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.builtin import SOLVE, builtin_program
from dev_agent.programs.choosing import Who, Wish, proposer_for
from dev_agent.programs.models import ModelChoice, models_of
from dev_agent.programs.proposers import ModelTask, RecipeTask
from dev_agent.programs.spending import Spending, in_words
from dev_agent.proposers.model import Trouble
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.validation import prove
from tests.testing.asks import question

RECIPE, PROSE = "rename total to amount", "the cart is wrong"
KEY = {"ANTHROPIC_API_KEY": "sk-ant-api03-AAAABBBBCCCCDDDD", "HOME": "/nonexistent"}
NOBODY = {"HOME": "/nonexistent"}


def chosen(
    task: str, who: Who = Who.AUTO, *, environ: dict[str, str] = KEY, patched: bool = False, **more: Any
) -> RecipeTask | ModelTask | None:
    paths = more.pop("paths", ())
    choice = ModelChoice(flags={}, **more)
    wish = Wish(who=who, patched=patched, paths=paths, model=choice, spending=Spending())
    return proposer_for(task, wish, environ=environ)


def test_the_patch_comes_before_the_recipe_and_the_recipe_before_the_model() -> None:
    assert chosen(RECIPE, patched=True) is None
    assert isinstance(chosen(RECIPE), RecipeTask)
    asked = chosen(PROSE)
    assert isinstance(asked, ModelTask)
    assert asked.name.startswith("anthropic ")


def test_whoever_is_named_is_taken() -> None:
    asked = chosen(RECIPE, Who.ANTHROPIC)
    assert isinstance(asked, ModelTask)
    with pytest.raises(UsageFault, match="no recipe understands"):
        chosen(PROSE, Who.RECIPES)


def test_without_anybody_the_ways_are_said_a_model_among_them() -> None:
    with pytest.raises(UsageFault, match="no model is set up") as refused:
        chosen(PROSE, environ=NOBODY)
    assert "set ANTHROPIC_API_KEY, or name a service with --base-url and --model" in refused.value.hint
    assert "--patch FILE" in refused.value.hint


def test_the_variable_of_the_choice_is_not_taken_for_a_service() -> None:
    assert isinstance(chosen(PROSE, environ={**KEY, "DEV_AGENT_PROPOSER": "auto"}), ModelTask)


@pytest.mark.parametrize(
    ("said", "who", "more"),
    [
        ("a recipe is to propose, and a patch is given", Who.RECIPES, {"patched": True}),
        ("the model of openai is to propose, and a patch is given", Who.OPENAI, {"patched": True}),
        ("--patch is missing", Who.PATCH, {}),
        ("--path tells a recipe or a model", Who.AUTO, {"patched": True, "paths": ("src",)}),
        ("--cassette plays a recording", Who.OPENAI, {"cassette": Path("x")}),
        ("--record keeps a model's answers", Who.RECIPES, {"record": Path("x")}),
        ("no recording is named", Who.RECORDED, {}),
        ("cannot be read", Who.RECORDED, {"cassette": Path("/nonexistent/tape")}),
        ("there is no key", Who.ANTHROPIC, {"environ": NOBODY}),
    ],
)
def test_words_that_contradict_each_other_or_lack_something_are_refused(
    said: str, who: Who, more: dict[str, Any]
) -> None:
    with pytest.raises(UsageFault, match=said):
        chosen(PROSE, who, **more)


@pytest.mark.parametrize("limit", [{"model_calls": 0}, {"tokens": -1}, {"money": 10**13}, {"wall_ms": 0}])
def test_a_limit_that_cannot_be_meant_is_refused(limit: dict[str, int]) -> None:
    with pytest.raises(UsageFault, match="--max-"):
        Spending(**limit)


def test_limits_are_part_of_the_program_that_is_proved() -> None:
    program = builtin_program(SOLVE)
    limited = Spending(model_calls=3, money=1_500_000).within(program)
    prove(limited, {name: action.unbound() for name, action in ACTIONS.items()})
    assert limited.digest != program.digest
    assert Spending().within(program).digest == program.digest
    assert in_words(limited) == "3 calls, 2,000,000 tokens, $1.50, 60 minutes"
    assert Spending.from_json(Spending(tokens=9).to_json()) == Spending(tokens=9)


def test_a_runs_settings_hold_no_secret_and_open_the_same_model_again() -> None:
    asked = chosen(PROSE)
    assert isinstance(asked, ModelTask)
    assert KEY["ANTHROPIC_API_KEY"] not in asked.settings
    again = models_of(KEY)(asked.settings)
    assert (again.model.name, again.model.model) == (asked.opened.model.name, asked.opened.model.model)
    assert again.max_output == asked.opened.max_output


def test_a_key_that_is_gone_is_a_trouble_of_the_call_and_not_of_the_run() -> None:
    asked = chosen(PROSE)
    assert isinstance(asked, ModelTask)
    again = models_of(NOBODY)(asked.settings)
    reply = again.model.ask(question(), cancel=NeverCancelled(), told=lambda _tokens: None)
    assert reply.trouble is Trouble.UNAUTHORISED
    assert "there is no key" in reply.detail


@pytest.mark.parametrize("text", ["", "[]", '{"proposer": "x", "colour": "red"}', '{"proposer": "recorded"}'])
def test_settings_of_another_version_are_refused(text: str) -> None:
    with pytest.raises(UsageFault, match="does not know"):
        models_of(KEY)(text)
