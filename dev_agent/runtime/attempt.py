"""One attempt at an action: run it, and make whatever happens a recordable outcome.

Nothing an action does escapes: an exception, an outcome it did not declare, data of another type or without
canonical form, a return after its time are all outcome `error` with data {type, message}; a traceback goes
into a blob. What it spent counts in every case. KeyboardInterrupt is no outcome: the attempt is interrupted.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from types import MappingProxyType

from dev_agent.runtime.actions import AnySpec, ModelActionSpec, Result, View, added
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.errors import NotCanonical
from dev_agent.runtime.events import require_recordable
from dev_agent.runtime.facts import has_type
from dev_agent.runtime.host import Clock
from dev_agent.runtime.projection import ModelView
from dev_agent.runtime.states import ERROR, FactType
from dev_agent.runtime.written import Written, written
from dev_agent.values import dataclass

MAX_MESSAGE = 2000
MAX_PAYLOAD_FACT = 16 * 2**20
"""Bytes; a fact is held in memory, another payload need not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended. `interrupted` is no ending: the run was told to stop meanwhile.

    `shown` are the facts a model was shown, with how many secrets were taken out of them; None for other actions.
    """

    outcome: str
    content: Written
    ms: int = 0
    cost: Mapping[str, int] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    interrupted: bool = False
    shown: Mapping[str, Json] | None = None

    @property
    def data(self) -> Mapping[str, Json]:
        """What it gave, deeply frozen."""
        return self.content.frozen


def attempted(
    spec: AnySpec, view: View, clock: Clock, timeout_ms: int | None, model: ModelView | None = None
) -> Attempt:
    """Run the action once. Raises nothing; the view has ended when this returns.

    An action that feeds a model is given `model`, and nothing of `view`.
    """
    started = clock.monotonic_ms()
    attempt = _run(spec, view, model)
    ms = max(clock.monotonic_ms() - started, 0)
    view.end()
    cost = added(attempt.cost, view.spent) if view.spent else attempt.cost
    if timeout_ms is not None and ms > timeout_ms and not attempt.interrupted:
        late = failed("Timeout", f"{spec.name} took {ms} ms, allowed are {timeout_ms}")
        return replace(late, blobs=attempt.blobs, cost=cost, ms=ms, shown=_shown(model))
    return Attempt(
        outcome=attempt.outcome,
        content=attempt.content,
        ms=ms,
        cost=cost,
        blobs=attempt.blobs,
        interrupted=attempt.interrupted,
        shown=_shown(model),
    )


def failed(
    kind: str,
    message: str,
    *,
    blobs: Mapping[str, bytes] | None = None,
    cost: Mapping[str, int] | None = None,
) -> Attempt:
    """Return the attempt that ended in `error` for this reason."""
    content = written({"type": _printable(kind), "message": _printable(message)})
    return Attempt(outcome=ERROR, content=content, blobs=blobs or {}, cost=cost or {})


def _shown(model: ModelView | None) -> Mapping[str, Json] | None:
    if model is None:
        return None
    return MappingProxyType({"facts": tuple(sorted(model.facts)), "redacted": model.redacted})


def _called(spec: AnySpec, view: View, model: ModelView | None) -> object:
    if not isinstance(spec, ModelActionSpec):
        return spec.run(view)
    if model is None:
        raise AssertionError(f"BUG: {spec.name} feeds a model, and was to be run without a view made for one")
    return spec.run(model)


def _run(spec: AnySpec, view: View, model: ModelView | None) -> Attempt:
    try:
        return _judged(spec, _called(spec, view, model))
    except KeyboardInterrupt:
        return replace(failed("KeyboardInterrupt", "interrupted"), interrupted=True)
    except BaseException as error:  # noqa: BLE001 - an action may raise anything; SystemExit must not end a run either
        return _from_exception(error)


def _judged(spec: AnySpec, result: object) -> Attempt:
    """Return what a returned value makes: its own outcome, or `error` if it is not as declared."""
    if type(result) is not Result:
        return failed("WrongResult", f"{spec.name} returned {type(result).__name__}, not a Result")
    try:
        cost = added({}, result.cost)
    except (NotCanonical, AttributeError) as error:
        return failed("WrongCost", f"{spec.name}: {error}")
    return _checked(spec, result, cost)


def _checked(spec: AnySpec, result: Result, cost: Mapping[str, int]) -> Attempt:
    if type(result.outcome) is not str and not isinstance(result.outcome, StrEnum):
        return failed("WrongOutcome", f"{spec.name} gave an outcome that is not text", cost=cost)
    outcome = str(result.outcome)
    if outcome not in spec.outcomes and outcome != ERROR:
        return failed(
            "WrongOutcome", f"{spec.name} gave {outcome!r}, declared are {sorted(spec.outcomes)}", cost=cost
        )
    try:
        content = written(result.data)
        blobs = dict(result.blobs)
        require_recordable("left", content, "agent", blobs)
    except (NotCanonical, TypeError, ValueError) as error:
        return failed("WrongData", f"{spec.name}: {error}", cost=cost)
    data = content.frozen
    for name, kind in spec.facts.items():
        if name in data and not has_type(data[name], kind):
            return failed(
                "WrongFact",
                f"{spec.name} gave {name} as {type(data[name]).__name__}, declared is {kind}",
                cost=cost,
            )
        if kind is FactType.PAYLOAD and name in blobs and (wrong := _unfit(blobs[name])):
            return failed("WrongFact", f"{spec.name} gave the payload {name} {wrong}", cost=cost)
    return Attempt(outcome=outcome, content=content, cost=cost, blobs=MappingProxyType(blobs))


def _unfit(payload: bytes) -> str:
    """What keeps bytes from being a payload fact, "" if nothing does."""
    if len(payload) > MAX_PAYLOAD_FACT:
        return f"of {len(payload)} bytes, allowed are {MAX_PAYLOAD_FACT}"
    try:
        payload.decode()
    except UnicodeDecodeError:
        return "that is no UTF-8 text"
    return ""


def _from_exception(error: BaseException) -> Attempt:
    try:
        text = "".join(traceback.format_exception(error))
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may raise as well
        text, message = "", "(the exception cannot be shown)"
    return failed(type(error).__name__, message, blobs={"traceback": text.encode(errors="backslashreplace")})


def _printable(text: str) -> str:
    """Bound the text and escape lone surrogates, which have no canonical form."""
    return text[:MAX_MESSAGE].encode(errors="backslashreplace").decode()
