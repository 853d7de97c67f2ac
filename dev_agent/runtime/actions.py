"""The contract between a program and the code its states run: ActionSpec, ModelActionSpec, View, Result.

An action is a function of a View that returns a Result. It may raise whatever it likes: that is outcome
`error`. It must not keep the View: a View ends when its action returns or its time is judged. An action that
feeds a model is a function of a ModelView instead, and gets nothing else (see `projection`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TypeAlias

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.capabilities import CapabilityRef
from dev_agent.runtime.errors import CapabilityDenied, NotCanonical, RuntimeFault
from dev_agent.runtime.events import require_recordable
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.projection import ModelView
from dev_agent.runtime.states import FactType
from dev_agent.runtime.written import written
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event an action wants in the trace, checked and frozen, not yet appended."""

    type: str
    data: Mapping[str, Json]
    blobs: Mapping[str, bytes]
    actor: str
    durable: bool


Recorder: TypeAlias = "Callable[[Record], None]"
Resolve: TypeAlias = "Callable[[CapabilityRef | Json], str]"


def _no_capabilities(_ref: CapabilityRef | Json) -> str:
    raise CapabilityDenied("", "this host gives no capabilities to this action")


@dataclass(frozen=True, slots=True)
class Result:
    """What an action gives back. Shapes are checked when it is recorded, not here.

    outcome: one of the action's declared outcomes (or "error").
    data:    canonical JSON; facts the spec declares must have their declared types, other keys are free.
    blobs:   payloads by role, kept beside the trace.
    cost:    counts to add to the run's budgets: model_calls, tokens, money (micro-units), or others.
    """

    outcome: str
    data: Mapping[str, object] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    cost: Mapping[str, int] = field(default_factory=dict)


class View:
    """What an action sees of its run, while it runs.

    run, state, attempt   the run's id, the state (and branch, "" outside parallel states), the attempt from 1
    facts                 frozen: facts["input"][name], facts[state][name] (latest output of that state),
                          facts[state][branch][name] for parallel states
    cancel                the host's request to stop; an action that raises after it was set is interrupted
    timeout_ms            how long the action may take, None for no limit; later is outcome `error`
    remaining             what is left of each limited budget; in a parallel state, of this branch's share
    """

    def __init__(  # noqa: PLR0913 - made in one place, by name
        self,
        *,
        run: str,
        state: str,
        branch: str,
        attempt: int,
        facts: Mapping[str, Json],
        cancel: Cancel,
        timeout_ms: int | None,
        remaining: Mapping[str, int],
        recorder: Recorder,
        resolve: Resolve = _no_capabilities,
    ) -> None:
        self.run = run
        self.state = state
        self.branch = branch
        self.attempt = attempt
        self.facts = facts
        self.cancel = cancel
        self.timeout_ms = timeout_ms
        self.remaining = remaining
        self._recorder: Recorder | None = recorder
        self._resolve = resolve
        self._spent: dict[str, int] = {}

    def record(
        self,
        type: str,  # noqa: A002 - the event's field
        data: Mapping[str, object],
        blobs: Mapping[str, bytes] | None = None,
        *,
        durable: bool = False,
        actor: str = "agent",
    ) -> None:
        """Append an event of the action's own, e.g. the intent of an effect, `durable` before the effect.

        In a branch, events are kept and appended in the order of the branches when the state joins; therefore
        `durable` is refused there: effects belong into action states. Raises RuntimeFault, NotCanonical.
        """
        if self._recorder is None:
            raise RuntimeFault("this view has ended", "record before the action returns")
        payloads = dict(blobs or {})
        content = written(data)
        require_recordable(type, content, actor, payloads)
        self._recorder(Record(type=type, data=content.frozen, blobs=payloads, actor=actor, durable=durable))

    def resolve(self, ref: CapabilityRef | Json) -> str:
        """Return the secret behind a capability reference, while the action runs. Raises CapabilityDenied.

        What is resolved is scrubbed from all the run records from then on.
        """
        if self._recorder is None:
            raise CapabilityDenied("", "this view has ended")
        return self._resolve(ref)

    def spend(self, cost: Mapping[str, int]) -> None:
        """Add to the run's costs now; they count even if the action raises. Raises NotCanonical."""
        self._spent = added(self._spent, cost)

    @property
    def spent(self) -> Mapping[str, int]:
        """What this action spent so far."""
        return MappingProxyType(self._spent)

    def end(self) -> None:
        """Called by the engine when the action is over: from now on nothing can be recorded."""
        self._recorder = None


Action: TypeAlias = "Callable[[View], Result]"
ModelAction: TypeAlias = "Callable[[ModelView], Result]"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action and what it declares: its outcomes, and the facts (name -> type) its data may hold.

    `spends` are the budget keys it may cost. The engine does not start an action that spends a budget with
    nothing left, so a limit is exceeded by at most the actions in flight. `capabilities` are those it may resolve.
    """

    name: str
    outcomes: frozenset[str]
    facts: Mapping[str, FactType]
    run: Action
    spends: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModelActionSpec:
    """An action that feeds a model: it gets a ModelView of what its state `shows`, never a View.

    `prompts` are its templates by name, with `{{state.fact}}` where a shown fact goes. What is shown is the
    program's to say; a template that names anything else keeps the program from loading.
    """

    name: str
    outcomes: frozenset[str]
    facts: Mapping[str, FactType]
    run: ModelAction
    spends: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    prompts: Mapping[str, str] = field(default_factory=dict)


AnySpec: TypeAlias = "ActionSpec | ModelActionSpec"


def added(total: Mapping[str, int], cost: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of two costs. Raises NotCanonical for anything but counts under ASCII keys."""
    made = dict(total)
    for key, amount in cost.items():
        if type(key) is not str or not key.isascii() or type(amount) is not int or not 0 <= amount < 2**48:
            raise NotCanonical(f"cost {key!r} is not a count", "use integers from 0; money in micro-units")
        made[key] = made.get(key, 0) + amount
    return made
