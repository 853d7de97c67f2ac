"""The actions of the shipped programs: all of them there, and only those imported that a program uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dev_agent.programs.actions.registry import ACTIONS, declared
from dev_agent.programs.builtin import BUILTIN, builtin_program

_ASKS_A_MODEL = ("dev_agent.context", "dev_agent.programs.briefing", "dev_agent.programs.solving.plan")
_PROVED = (
    "import sys\n"
    "from dev_agent.programs.apply import apply\n"
    "from dev_agent.programs.actions.registry import declared\n"
    "from dev_agent.programs.builtin import apply_program\n"
    "from dev_agent.runtime.validation import prove\n"
    "prove(apply_program(), declared())\n"
    "print(*sys.modules)\n"
)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_is_found_under_its_own_name(name: str) -> None:
    assert ACTIONS[name].name == name
    assert declared()[name].outcomes == ACTIONS[name].outcomes


def test_a_name_nobody_has_is_no_action() -> None:
    assert "nobody" not in ACTIONS
    assert "nobody" not in declared()
    assert declared().get("nobody") is None


def test_every_action_is_used_by_a_shipped_program() -> None:
    states = [state for name in BUILTIN for state in builtin_program(name).states.values()]
    used = {state.action for state in states} | {one.action for state in states for one in state.branches}
    assert used - {""} >= ACTIONS.keys()


def test_apply_waits_for_nothing_that_only_a_model_needs() -> None:
    said = subprocess.run([sys.executable, "-c", _PROVED], capture_output=True, text=True, check=True).stdout
    loaded = set(said.split())
    assert "dev_agent.programs.actions.land" in loaded
    assert loaded.isdisjoint(_ASKS_A_MODEL)
