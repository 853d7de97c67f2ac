"""A model that answers by a script: the one stand-in at the interface `proposers.model.Model`.

Each entry of the script is an answer's content, a `Trouble`, a whole `Reply`, or a function of the question that gives
one of them. When the script has ended it says so by failing the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dev_agent.proposers.model import Ask, Reply, Trouble, Usage
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.host import Cancel

Said: TypeAlias = "Mapping[str, Any] | Trouble | Reply"
Entry: TypeAlias = "Said | Callable[[Ask], Said]"
USAGE = Usage(input=100, output=20)


@dataclass
class Scripted:
    """Answers in turn, and remembers what it was asked."""

    script: Sequence[Entry]
    name: str = "scripted"
    model: str = "one"
    asked: list[Ask] = field(default_factory=list)

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        assert len(self.asked) < len(self.script), (
            f"asked once more than was written:\n{ask.changing.text[-2000:]}"
        )
        entry = self.script[len(self.asked)]
        self.asked.append(ask)
        told(7)
        said = entry(ask) if callable(entry) else entry
        if isinstance(said, Reply):
            return said
        if isinstance(said, Trouble):
            return Reply(trouble=said, detail=f"the service said {said.value}", model=self.model)
        content = {"question": question_of(ask), **said}
        return Reply(
            content=content,
            text=json.dumps(content),
            usage=USAGE,
            model=self.model,
            stop="end_turn",
            request_id="r-1",
        )

    def count(self, ask: Ask) -> int | None:
        return None

    def describe(self) -> Mapping[str, Json]:
        return {"name": self.name, "model": self.model, "host": "script"}

    @property
    def prompts(self) -> list[str]:
        """Everything that was sent, by question."""
        return [f"{one.stable.text}\n{one.changing.text}" for one in self.asked]


def question_of(ask: Ask) -> str:
    """The word an answer has to echo."""
    found = re.search(r"q-[0-9a-f]{8}", ask.stable.text)
    assert found
    return found[0]


def plan(*files: str, **more: Any) -> dict[str, Any]:
    """A plan that edits these files."""
    return {
        "answer": "plan",
        "kind": "fix",
        "summary": "Put it right.",
        "files_to_read": [],
        "files_to_edit": list(files),
        "symbols": [],
        "tests_to_add": [],
        "tests_to_run": [],
        "risk": "low",
        "questions": [],
        "searches": [],
        "reason": "",
        **more,
    }


def edits(*operations: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """An answer with these edits."""
    empty = {"op": "", "path": "", "old": "", "new": "", "to": ""}
    return {
        "answer": "edits",
        "edits": [{**empty, **one} for one in operations],
        "patch": "",
        "files": [],
        "symbols": [],
        "searches": [],
        "reason": "",
        **more,
    }


def replacing(path: str, old: str, new: str) -> dict[str, str]:
    """The operation that puts lines in the place of others."""
    return {"op": "replace", "path": path, "old": old, "new": new}
