"""What docs/models.md says of settings, troubles and examples is what the code has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from dev_agent.proposers.keys import VARIABLES
from dev_agent.proposers.model import Trouble
from dev_agent.proposers.settings import SERVICES
from dev_agent.proposers.user_config import NUMBERS, TEXTS, parse_user_config
from dev_agent.sandbox.profile import load_profile

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        re.findall(r"`([^`]+)`", line.split("|")[1])
        for line in section.splitlines()
        if line.startswith("| `")
    ]


def test_every_trouble_is_in_one_row_with_those_that_are_treated_alike() -> None:
    passing, answerable, final = rows("What can go wrong")
    assert sorted(passing) == sorted(one for one in Trouble if one.passing)
    assert sorted(answerable) == sorted(one for one in Trouble if one.answerable)
    assert sorted(final) == sorted(one for one in Trouble if not one.passing and not one.answerable)


def test_every_setting_is_in_the_table_and_every_service_and_variable_is_named() -> None:
    named = [name for row in rows("Settings") for name in row]
    assert sorted(named) == sorted([*TEXTS, *NUMBERS])
    for word in (*SERVICES, *(name for names in VARIABLES.values() for name in names)):
        assert f"`{word}`" in PAGE


def test_the_examples_are_accepted() -> None:
    config, profile = (block.split("```")[0] for block in PAGE.split("```toml\n")[1:])
    assert parse_user_config(tomllib.loads(config), source="config.toml").prices
    assert load_profile(profile, source="agent.toml").network
