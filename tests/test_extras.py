"""What is missing is named so that the command can be pasted, and installs nobody else's package."""

from __future__ import annotations

import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from dev_agent.extras import install_command

EXTRAS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_command_installs_what_the_extra_names_into_this_environment(extra: str) -> None:
    words = shlex.split(install_command(extra).removeprefix("install it: "))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    (wanted,) = EXTRAS[extra]
    name = wanted.partition(">")[0]
    assert [word.partition("<")[0] for word in words[4:]] == [name]
    assert "dev-agent" not in words


def test_an_extra_nobody_knows_is_said_in_words() -> None:
    assert install_command("none").startswith("install dev-agent together with its extra none")
