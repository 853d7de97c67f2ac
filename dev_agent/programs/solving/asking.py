"""Asking a model once, and what goes on record about it: the call, its cost, the words that went out and came back.

All a model action has is a projection of the run (`ModelView`) and this. There is nothing of the run, the repository,
the policy or the budgets in it, so nothing of them can be asked about or told.

Waiting for what a service asks us to wait is done here, bounded and heeding the host's wish to stop; asking again is
the program's (`retry` of the state), where it is counted and recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dev_agent.proposers.model import Ask, Trouble
from dev_agent.proposers.records import reply_to_json
from dev_agent.runtime.canonical import canonical
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.proposers.model import Form, Model, Reply, Usage
    from dev_agent.runtime.projection import ModelView

LONGEST_WAIT_MS = 60_000
_TURN_S = 0.1
_SPARE_MS = LONGEST_WAIT_MS + 5_000
"""The client gives up so much before the engine would call the state late: what it paid for is on record then."""

REPLY = "reply"
"""The role of the payload that holds what came back; of a further sample it goes on with `-` and its number."""

Price = Callable[[str, "Usage"], "int | None"]
"""What a usage of a model costs in millionths of a dollar; None if nobody knows, which is not nothing."""

_LONGEST_WORD = 200
_UNBILLED = frozenset(
    {
        Trouble.RATE_LIMITED,
        Trouble.OVERLOADED,
        Trouble.UNREACHABLE,
        Trouble.NOT_AN_API,
        Trouble.UNAUTHORISED,
        Trouble.FORBIDDEN,
        Trouble.UNPAID,
        Trouble.UNKNOWN_MODEL,
        Trouble.TOO_LARGE,
        Trouble.BAD_REQUEST,
    }
)
"""Without a word about tokens these cost none: the question was turned away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One answered (or unanswered) question: the reply, what the trace says of it, what it cost, its payloads."""

    reply: Reply
    call: Mapping[str, Any]
    cost: Mapping[str, int]
    blobs: Mapping[str, bytes]


@runtime_checkable
class Remembers(Protocol):
    """A model that keeps what it answered, until it is told that this is on record."""

    def forget(self) -> None:
        """Called when everything that was answered is in the trace."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A model at its service, as the actions use it.

    timeout_ms  how long the settings give an answer; the state and the run may give it less
    told   hears the tokens of an answer while it arrives
    price  micro-units of money for a usage of the model that answered; None: not known, which is not nothing
    """

    model: Model
    max_output: int
    timeout_ms: int | None = None
    told: Callable[[int], None] = field(default=lambda _tokens: None)
    price: Price = field(default=lambda _model, _usage: None)
    sleep: Callable[[float], None] = field(default=time.sleep)

    def ask(self, view: ModelView, *, purpose: str, form: Form, sample: int = 0) -> Asked:
        """Ask with the prompts `stable` and `purpose` of the view. Raises KeyboardInterrupt if told to stop."""
        asked = Ask(
            stable=view.prompt("stable"),
            changing=view.prompt(purpose),
            form=form,
            max_output=self.max_output,
            timeout_ms=_least(self.timeout_ms, _patience(view.timeout_ms)),
            sample=sample,
        )
        reply = self.model.ask(asked, cancel=view.cancel, told=self.told)
        self._wait(view, reply)
        micro = None if reply.usage is None else self.price(reply.model, reply.usage)
        cost = _cost(reply, micro)
        call = {
            "purpose": purpose,
            "model": _word(reply.model),
            "request_id": _word(reply.request_id),
            "stop": _word(reply.stop),
            "trouble": reply.trouble.value if reply.trouble else "",
            "usage": reply.usage.to_json() if reply.usage else None,
            "micro_usd": micro,
            "unpriced": "unpriced_calls" in cost,
            "ms": reply.ms,
            "ask": asked.digest,
            "sample": sample,
        }
        sent = f"{asked.stable.text}\n{asked.changing.text}".encode("utf-8", "backslashreplace")
        return Asked(
            reply=reply,
            call=call,
            cost=cost,
            blobs={"prompt": sent, REPLY: canonical(reply_to_json(reply))},
        )

    def forget(self) -> None:
        """What was answered so far is in the trace: it need not be kept for a process that may die before that."""
        if isinstance(self.model, Remembers):
            self.model.forget()

    def _wait(self, view: ModelView, reply: Reply) -> None:
        """As long as the service asks for, before the next attempt of the program; at most a minute."""
        if reply.trouble is None or not reply.trouble.passing:
            return
        left = min(reply.retry_after_ms or 0, LONGEST_WAIT_MS) / 1000
        while left > 0:
            if view.cancel.requested:
                raise KeyboardInterrupt
            self.sleep(min(left, _TURN_S))
            left -= _TURN_S


def _patience(timeout_ms: int | None) -> int | None:
    """How long an answer may take, when its state may take so long: a tenth is left where there is little."""
    return None if timeout_ms is None else max(timeout_ms - min(_SPARE_MS, timeout_ms // 10), 1)


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _cost(reply: Reply, micro: int | None) -> dict[str, int]:
    cost = {"model_calls": 1}
    if reply.usage is not None:
        cost["tokens"] = reply.usage.total
    if micro is not None:
        cost["money"] = micro
    elif reply.usage is not None or reply.trouble not in _UNBILLED:
        cost["unpriced_calls"] = 1
    return cost


def _word(text: str) -> str:
    """What a service calls something, fit for a line of the trace: printable, on one line, bounded."""
    return "".join(one if one.isprintable() else "?" for one in text[:_LONGEST_WORD])
