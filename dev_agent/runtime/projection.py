"""What each audience may see of a run: one typed view an audience, and no way around it.

    model   the facts the program lists under `shows` for this very state, and nothing else: no attempt, budget, run
            id, policy, outcome or count of visits (evaluator blindness). Redacted by name, format and randomness.
    trace   what is recorded. Redacted by name and format before it is recorded, so a fact that is a secret does not
            survive the action that made it; a secret is passed on as a capability reference (see `capabilities`).
    human   what the owner of a run reads is what was recorded; anybody else reads it redacted as a model does.

Deny by default: nothing listed, nothing seen. A `ModelView` is made by the engine, for an action that declares
itself to feed a model; a `Prompt` is made by a ModelView, from the action's own templates, which are fixed before
the run begins and hold `{{state.fact}}` where a shown fact goes. There is no other way to type either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Never, final

from dev_agent.runtime.canonical import Json, encode, frozen_object, thaw
from dev_agent.runtime.capabilities import CapabilityRef
from dev_agent.runtime.errors import NotShown
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.naming import nearest
from dev_agent.runtime.redaction import Redactor, is_plainly_clean
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

_NOTHING: Mapping[str, FactType] = MappingProxyType({})
_HOLE = re.compile(r"\{\{\s*([A-Za-z0-9_.]{1,200})\s*\}\}")


def holes_of(template: str) -> tuple[str, ...]:
    """Return the facts a template names, each once, in order."""
    return tuple(dict.fromkeys(_HOLE.findall(template)))


@final
class Prompt:
    """Text for a model. Only `ModelView.prompt` makes one."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, never: Never) -> None:  # noqa: ARG002 - of this type there is no value
        raise TypeError("a Prompt is made by a ModelView, from a template of its action")

    @property
    def text(self) -> str:
        """The text to send."""
        return self._text


@final
class ModelView:
    """What an action that feeds a model sees of its run. Only the engine makes one.

    facts       the shown facts by their dotted names, frozen and redacted; a fact nobody recorded is not in it
    cancel      the host's request to stop
    timeout_ms  what is left of the state's time limit and of the run's, for the client that talks to the model
    """

    __slots__ = ("_names", "_prompts", "_resolve", "_spend", "cancel", "facts", "redacted", "timeout_ms")
    facts: Mapping[str, Json]
    cancel: Cancel
    timeout_ms: int | None
    redacted: int
    _names: tuple[str, ...]
    _prompts: Mapping[str, str]
    _resolve: Callable[[CapabilityRef | Json], str]
    _spend: Callable[[Mapping[str, int]], None]

    def __init__(self, never: Never) -> None:  # noqa: ARG002 - of this type there is no value
        raise TypeError("a ModelView is made by the engine, for a state that shows facts to a model")

    def prompt(self, name: str) -> Prompt:
        """Fill one of the action's templates. Raises NotShown for a template or a fact there is not."""
        template = self._prompts.get(name)
        if template is None:
            raise NotShown(f"this action declares no prompt {name!r}", nearest(name, self._prompts))
        made = object.__new__(Prompt)
        # One pass: what a fact says is never looked at for further holes.
        object.__setattr__(made, "_text", _HOLE.sub(lambda hole: self._filled(hole[1]), template))
        return made

    def resolve(self, ref: CapabilityRef | Json) -> str:
        """Return the secret behind a reference, e.g. the key for the model's service. Raises CapabilityDenied."""
        return self._resolve(ref)

    def spend(self, cost: Mapping[str, int]) -> None:
        """Add to the run's costs now; they count even if the action raises. Raises NotCanonical."""
        self._spend(cost)

    def _filled(self, name: str) -> str:
        if name not in self.facts:
            known = "was not recorded in this run" if name in self._names else "is not shown to this state"
            raise NotShown(f"{name} {known}", nearest(name, self.facts))
        value = self.facts[name]
        return value if isinstance(value, str) else encode(thaw(value)).decode()


def model_view(
    shown: Mapping[str, Json],
    *,
    names: Iterable[str],
    prompts: Mapping[str, str],
    cancel: Cancel,
    timeout_ms: int | None,
    resolve: Callable[[CapabilityRef | Json], str],
    spend: Callable[[Mapping[str, int]], None],
) -> ModelView:
    """Return the view for these facts, by dotted name; they are redacted here."""
    redactor = Redactor(randomness=True)
    view = object.__new__(ModelView)
    fields = {
        "facts": MappingProxyType({name: _redacted(redactor, name, value) for name, value in shown.items()}),
        "cancel": cancel,
        "timeout_ms": timeout_ms,
        "redacted": redactor.total,
        "_names": tuple(names),
        "_prompts": MappingProxyType(dict(prompts)),
        "_resolve": resolve,
        "_spend": spend,
    }
    for name, value in fields.items():
        object.__setattr__(view, name, value)
    return view


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """What is recorded of an action's data, and how many secrets were taken out of it."""

    data: Mapping[str, Json]
    redacted: int

    @classmethod
    def of(cls, data: Mapping[str, Json], declared: Mapping[str, FactType] = _NOTHING) -> TraceView:
        """The view of frozen data; what is `declared` to be a number or a truth stays one."""
        if is_plainly_clean(data):
            return cls(data=data, redacted=0)
        redactor = Redactor()
        numbers = frozenset(name for name, kind in declared.items() if kind in (FactType.INT, FactType.BOOL))
        clean = redactor.value(data, numbers)
        if clean is data:
            return cls(data=data, redacted=0)
        return cls(data=frozen_object(clean), redacted=redactor.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanView:
    """What a person reads of recorded values and payloads. `owner`: the run is their own."""

    owner: bool

    def value(self, value: Json) -> Json:
        """A recorded value."""
        return value if self.owner else Redactor(randomness=True).value(value)

    def payload(self, payload: bytes) -> bytes:
        """A payload beside the trace."""
        if self.owner:
            return payload
        text = payload.decode("utf-8", "surrogateescape")
        return Redactor(randomness=True).text(text).encode("utf-8", "surrogateescape")


def _redacted(redactor: Redactor, name: str, value: Json) -> Json:
    """The fact under its own name: `input.api_key` is a secret whatever it looks like."""
    last = name.rpartition(".")[2]
    (clean,) = frozen_object(redactor.value({last: value})).values()
    return clean
