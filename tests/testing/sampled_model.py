"""A model that answers each sample of a question by a script of its own, in whatever order the samples are asked.

`plans` are the answers to questions for a plan, in turn. `rounds` are the rounds of asking for edits, each one
question: the entry at index n answers its sample n. `order` names samples; each waits until those before it have
answered, so a test says who is ready first.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dev_agent.proposers.model import Ask, Reply, Trouble
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.host import Cancel
from tests.testing.scripted_model import USAGE, question_of

Entry = Mapping[str, Any] | Trouble
_PATIENCE_S = 60


@dataclass
class Sampled:
    """See the module. `asked` is every question that was answered, in the order of answering."""

    plans: Sequence[Entry]
    rounds: Sequence[Sequence[Entry]]
    order: Sequence[int] = ()
    name: str = "sampled"
    model: str = "many"
    asked: list[Ask] = field(default_factory=list)
    _lock: threading.Condition = field(default_factory=threading.Condition)
    _planned: int = 0
    _questions: list[str] = field(default_factory=list)
    _ready: list[int] = field(default_factory=list)

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        with self._lock:
            if ask.form.name == "plan":
                self._planned += 1
                return self._reply(ask, self.plans[self._planned - 1])
            if ask.changing.text not in self._questions:
                self._questions.append(ask.changing.text)
            round_ = self._questions.index(ask.changing.text)
            before = self.order[: self.order.index(ask.sample)] if ask.sample in self.order else ()
            assert self._lock.wait_for(lambda: set(before) <= set(self._ready), _PATIENCE_S)
            self._ready.append(ask.sample)
            self._lock.notify_all()
            return self._reply(ask, self.rounds[round_][ask.sample])

    def count(self, ask: Ask) -> int | None:
        return None

    def describe(self) -> Mapping[str, Json]:
        return {"name": self.name, "model": self.model, "host": "script"}

    def _reply(self, ask: Ask, said: Entry) -> Reply:
        self.asked.append(ask)
        if isinstance(said, Trouble):
            return Reply(trouble=said, detail=f"the service said {said.value}", model=self.model)
        content = {"question": question_of(ask), **said}
        return Reply(
            content=content,
            text=json.dumps(content),
            usage=USAGE,
            model=self.model,
            stop="end_turn",
            request_id=f"r-{ask.sample}",
        )
