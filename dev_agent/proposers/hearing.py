"""What was heard of an answer so far, and what it is worth: nothing, unless the service said why it stopped.

A stream that is cut looks to both clients like one that ended, and what arrived until then may even be of the right
form. So an answer is read only after a stop that means "I said all of it". Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum

from dev_agent.proposers.answers import Answer, read_answer
from dev_agent.proposers.model import Ask, Trouble, Usage
from dev_agent.proposers.troubles import Problem, problem, readable
from dev_agent.runtime.canonical import MAX_INTEGER
from dev_agent.values import dataclass

_CHARS_A_TOKEN = 4
_MOST_CHARS_A_TOKEN = 40


class Stop(Enum):
    """What a service's word for stopping means."""

    COMPLETE = "complete"
    LENGTH = "length"
    REFUSED = "refused"
    WINDOW = "window"


@dataclass(slots=True, kw_only=True)
class Heard:
    """An answer as it arrives. `tool` is the name of a tool whose input was sent instead of a text."""

    ask: Ask
    stops: Mapping[str, Stop]
    told: Callable[[int], None]
    parts: list[str] = field(default_factory=list)
    tool: str = ""
    stop: str = ""
    usage: Usage | None = None
    model: str = ""
    request_id: str = ""
    begun: bool = False
    refusal: str = ""
    chars: int = 0
    too_long: bool = False

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self.parts)

    def hear(self, text: object, *, counts: bool = True) -> None:
        """Take the next piece; `counts` only tells of progress, for what is thought and not said."""
        if not isinstance(text, str) or not text:
            return
        self.chars += len(text)
        # A service that never stops must not fill the memory.
        self.too_long = self.too_long or self.chars > _MOST_CHARS_A_TOKEN * (self.ask.max_output + 1000)
        if counts and not self.too_long:
            self.parts.append(text)
        self.told(self.chars // _CHARS_A_TOKEN)

    def judged(self, host: str) -> Answer | Problem:
        """The answer, or what is wrong with it."""
        if self.refusal:
            return problem(Trouble.REFUSED, f"the model refuses: {readable(self.refusal)}")
        if self.too_long:
            return problem(Trouble.TRUNCATED, f"{host} sends more than an answer may have")
        stop = self.stops.get(self.stop)
        if stop is not Stop.COMPLETE:
            return self._unfinished(stop, host)
        if self.tool and self.tool != self.ask.form.name:
            return problem(
                Trouble.WRONG_ANSWER,
                f"the model used a tool {readable(self.tool)!r} that nobody offered, instead of answering",
            )
        return read_answer(self.text, self.ask.form)

    def _unfinished(self, stop: Stop | None, host: str) -> Problem:
        if stop is Stop.LENGTH:
            return problem(
                Trouble.TRUNCATED, f"the answer is longer than the {self.ask.max_output} tokens it may have"
            )
        if stop is Stop.REFUSED:
            return problem(Trouble.REFUSED, "the service stopped the answer by its rules of use")
        if stop is Stop.WINDOW:
            return problem(Trouble.TOO_LARGE, "question and answer together do not fit the model")
        if not self.begun:
            return problem(Trouble.NOT_AN_API, f"{host} answered something that is no answer of a model")
        why = (
            f"it stopped for a reason nobody knows ({readable(self.stop)})" if self.stop else "it just ended"
        )
        return problem(Trouble.CUT_OFF, f"the answer from {host} is not complete: {why}")


def tokens(value: object) -> int:
    """A count of tokens from a service, 0 for what is none."""
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER else 0
    )


def word(value: object) -> str:
    """A short name from a service, "" for what is none."""
    return value[:200] if isinstance(value, str) and value.isprintable() else ""
