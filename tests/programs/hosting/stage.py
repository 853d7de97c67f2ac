"""A small program of somebody else with a module of actions, and the command line that runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dev_agent

PROGRAM = """
name = "errand"
start = "prepare"
[facts]
amount = "int"
[budgets]
transitions = 20
exceeded = "dropped"
[states.prepare]
kind = "action"
on = { prepared = "work", error = "dropped" }
[states.work]
kind = "action"
on = { done = "ask", refused = "dropped", error = "dropped" }
[states.ask]
kind = "wait"
facts = { who = "str", sure = "bool" }
on = { yes = "finish", no = "dropped" }
[states.finish]
kind = "action"
on = { done = "delivered", error = "dropped" }
[states.delivered]
kind = "final"
[states.dropped]
kind = "final"
refuses = true
"""

ACTIONS = """
from pathlib import Path
import os, signal
from dev_agent.runtime.engine import ActionSpec, FactType, Result

HERE = Path(__file__).parent

def said(word):
    with open(HERE / "log", "a") as log:
        log.write(word + "\\n")

def prepare(view):
    said("prepare")
    return Result("prepared", {"twice": 2 * view.facts["input"]["amount"]})

def work(view):
    said("work")
    WORK
    return Result("done", {"who": "nobody"}, cost={"tokens": 3})

def finish(view):
    said("finish " + view.facts["ask"]["who"])
    return Result("done")

ACTIONS = [
    ActionSpec("prepare", frozenset({"prepared"}), {"twice": FactType.INT}, prepare),
    ActionSpec("work", frozenset({"done", "refused"}), {"who": FactType.STR}, work),
    ActionSpec("finish", frozenset({"done"}), {}, finish),
]
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the command said."""

    code: int
    page: dict[str, Any]
    stderr: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A folder with `errand.toml` and `errands.py`, and its runs."""

    folder: Path

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def write(self, *, program: str = PROGRAM, work: str = "pass", actions: str = ACTIONS) -> Stage:
        (self.folder / "errand.toml").write_text(program)
        (self.folder / "errands.py").write_text(actions.replace("WORK", work))
        return self

    def program(self, *words: str) -> Answer:
        done = subprocess.run(
            self.argv(*words),
            cwd=self.folder,
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(
            code=done.returncode, page=json.loads(done.stdout) if done.stdout else {}, stderr=done.stderr
        )

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dev_agent", "program", *words, "--runs", str(self.runs), "--json"]

    def environ(self) -> dict[str, str]:
        root = str(Path(dev_agent.__file__).parents[1])
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": root}

    def run(self, *words: str) -> Answer:
        return self.program("run", "errand.toml", "--actions", "errands.py", "-i", "amount=2", *words)

    def log(self) -> list[str]:
        place = self.folder / "log"
        return place.read_text().splitlines() if place.exists() else []

    def bytes_of_runs(self) -> dict[str, bytes]:
        return {
            str(one.relative_to(self.runs)): one.read_bytes()
            for one in sorted(self.runs.rglob("*"))
            if one.is_file()
        }
