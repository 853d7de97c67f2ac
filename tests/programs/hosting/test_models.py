"""An action that feeds a model gets no more in a process of its own than it gets here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.hosting.isolation import Isolation
from dev_agent.programs.hosting.module import load_actions
from dev_agent.programs.hosting.wire import packed_view
from dev_agent.runtime.actions import ModelActionSpec, Result
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.program import load_program
from dev_agent.runtime.projection import ModelView
from dev_agent.runtime.trace import Journal
from tests.testing.repos import make_repository

MODULE = """
from dev_agent.runtime.engine import FactType, ModelActionSpec, ModelView, Result
def ask(view: ModelView) -> Result:
    view.spend({"tokens": 3})
    try:
        view.resolve({"$capability": "key"})
    except Exception as error:
        denied = str(error)
    said = {"said": view.prompt("p").text, "denied": denied, "seen": sorted(view.facts)}
    return Result("done", said, cost={"tokens": 4})
PROMPTS = {"p": "Do {{input.task}}"}
ACTIONS = (ModelActionSpec("ask", frozenset({"done"}), {"said": FactType.STR}, ask, prompts=PROMPTS),)
"""
PROGRAM = """
name = "asking"
start = "ask"
[facts]
task = "str"
other = "str"
[budgets]
transitions = 3
exceeded = "end"
[states.ask]
kind = "action"
timeout_ms = 60000
shows = ["input.task"]
on = { done = "end", error = "bad" }
[states.end]
kind = "final"
[states.bad]
kind = "final"
"""


def test_a_model_action_with_a_time_limit_is_shown_the_same(tmp_path: Path) -> None:
    module = tmp_path / "asking.py"
    module.write_text(MODULE)
    environ: Mapping[str, str] = make_repository(tmp_path, {"a": b""}, name="unused").environ
    isolation = Isolation(module=str(module), environ=environ, cancel=Cancel())
    program = load_program(PROGRAM, source="asking.toml")
    actions = {name: isolation.of(spec) for name, spec in load_actions(str(module)).items()}
    with Journal.create(tmp_path / "run", "r-1", {"program": program.digest}, SystemClock()) as journal:
        engine = Engine(program, actions, journal, clock=SystemClock(), cancel=Cancel())
        ending = engine.start({"task": "this", "other": "CANARY"})
        (left,) = [event.data for event in journal.events if event.type == "left"]
    said = ending.facts["ask"]
    assert ending.state == "end", said
    assert isinstance(said, Mapping)
    assert (said["said"], said["seen"]) == ("Do this", ("input.task",))
    assert "not declared by this action, or was not given" in str(said["denied"])
    assert left["cost"] == {"tokens": 7}
    assert left["shown"] == {"facts": ("input.task",), "redacted": 0}


def test_a_payload_made_in_one_process_is_shown_in_another(tmp_path: Path) -> None:
    module = tmp_path / "asking.py"
    gather = (
        "from dev_agent.runtime.engine import ActionSpec, View\n"
        "def gather(view: View) -> Result:\n"
        "    return Result('found', {}, {'text': 'long text'.encode()})\n"
        "GATHER = ActionSpec('gather', frozenset({'found'}), {'text': FactType.PAYLOAD}, gather)\n"
    )
    listed = MODULE.replace("{{input.task}}", "{{gather.text}}").replace("ACTIONS = (", "ACTIONS = (GATHER, ")
    module.write_text(listed.replace("PROMPTS =", f"{gather}PROMPTS ="))
    first = '[states.gather]\nkind = "action"\ntimeout_ms = 60000\non = { found = "ask", error = "bad" }\n[states.ask]'
    text = PROGRAM.replace("[states.ask]", first).replace('start = "ask"', 'start = "gather"')
    program = load_program(text.replace("input.task", "gather.text"), source="asking.toml")
    environ: Mapping[str, str] = make_repository(tmp_path, {"a": b""}, name="unused").environ
    isolation = Isolation(module=str(module), environ=environ, cancel=Cancel())
    actions = {name: isolation.of(spec) for name, spec in load_actions(str(module)).items()}
    with Journal.create(tmp_path / "run", "r-1", {"program": program.digest}, SystemClock()) as journal:
        engine = Engine(program, actions, journal, clock=SystemClock(), cancel=Cancel())
        ending = engine.start({"task": "this", "other": "CANARY"})
    said = ending.facts["ask"]
    assert isinstance(said, Mapping)
    assert (said["said"], said["seen"]) == ("Do long text", ("gather.text",))


def test_what_goes_to_the_process_is_what_is_shown(tmp_path: Path) -> None:
    packed: list[bytes] = []

    def ask(view: ModelView) -> Result:
        packed.append(packed_view(view))
        return Result("done")

    spec = ModelActionSpec("ask", frozenset({"done"}), {}, ask)
    program = load_program(PROGRAM, source="asking.toml")
    with Journal.create(tmp_path / "run", "r-1", {"program": program.digest}, SystemClock()) as journal:
        engine = Engine(program, {"ask": spec}, journal, clock=SystemClock(), cancel=Cancel())
        engine.start({"task": "this", "other": "CANARY"})
    assert json.loads(packed[0]) == {
        "shown": {"input.task": "this"},
        "timeout_ms": 60000,
        "secrets": {},
    }
