"""State = fold(trace): where a run stands, computed from its events and nothing else.

The engine applies every event to a Position right after appending it, and resuming applies them all again;
there is no other memory. An event that the program's table does not allow where the run stands is refused,
so no sequence of events can leave the table. Events of other types (records of actions, `recovered`,
`erased`) are nobody's business here.

    begun{program, inputs}                        entered{state, attempt}
    left{state, attempt, outcome, data, ms, cost, next, branches?}
    retried{state, attempt, outcome, data, ms, cost, wait_ms}
    branch-left{state, branch, action, outcome, data, ms, cost}       branch-entered{state, branch, action}
    exceeded{state, budget, limit, spent, next}   finished{state, reason}
    interrupted{state, ms, cost}                  resumed{state}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias, cast

from dev_agent.runtime.actions import added
from dev_agent.runtime.canonical import Json, encode
from dev_agent.runtime.chain import binding_of
from dev_agent.runtime.errors import NotCanonical, TraceCorrupt, WrongProgram
from dev_agent.runtime.events import ERASED, RECOVERED, RUN_STARTED, Event
from dev_agent.runtime.joins import joined
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import INPUT, Kind, State

BEGUN = "begun"
ENTERED = "entered"
LEFT = "left"
RETRIED = "retried"
BRANCH_ENTERED = "branch-entered"
BRANCH_LEFT = "branch-left"
EXCEEDED = "exceeded"
FINISHED = "finished"
INTERRUPTED = "interrupted"
RESUMED = "resumed"
ENGINE_TYPES = frozenset(
    {BEGUN, ENTERED, LEFT, RETRIED, BRANCH_ENTERED, BRANCH_LEFT, EXCEEDED, FINISHED, INTERRUPTED, RESUMED}
)
RESERVED = ENGINE_TYPES | {RUN_STARTED, RECOVERED, ERASED}
"""Types no action may record."""


_Output: TypeAlias = "tuple[str, Json]"


class Position:
    """Where a run stands. Read its fields; only `apply` changes them."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.state = ""
        """The current state; "" before the run began."""
        self.attempt = 0
        """The number of the latest attempt in this visit; 0 if the state was not entered yet."""
        self.open = False
        """Whether that attempt was entered and has not ended."""
        self.finished = False
        self.reason = ""
        """Why the run is where it is: the last outcome, or budget_<which>."""
        self.previous = ""
        """The state left last."""
        self.facts: dict[str, Json] = {}
        self.outcomes: dict[str, str] = {}
        """The latest outcome by state, and by `state.branch`."""
        self.visits: dict[str, int] = {}
        """How often each state was left."""
        self.transitions = 0
        self.cost: dict[str, int] = {}
        self.wall_ms = 0
        self.repeats = 0
        """How often the state left last gave the same output since anything else changed."""
        self.payloads: dict[str, str] = {}
        """Commitments of the latest output's payloads: `state.role`, `state.branch.role`."""
        self._outputs: dict[str, tuple[_Output, int, int]] = {}
        self._changes = 0
        self._branches: dict[str, Event] = {}
        self._apply: Mapping[str, Callable[[Event], None]] = {
            BEGUN: self._begun,
            ENTERED: self._entered,
            LEFT: self._left,
            RETRIED: self._retried,
            BRANCH_ENTERED: self._in_open_state,
            BRANCH_LEFT: self._branch_left,
            EXCEEDED: self._exceeded,
            FINISHED: self._finished,
            INTERRUPTED: self._interrupted,
            RESUMED: self._resumed,
        }

    @property
    def current(self) -> State:
        """The current state's row."""
        return self._program.states[self.state]

    @property
    def waiting(self) -> bool:
        """Whether the run is suspended in a wait state."""
        return self.open and self.current.kind is Kind.WAIT

    def frozen_facts(self) -> Mapping[str, Json]:
        """Return every fact so far; what is recorded later does not show in it."""
        return MappingProxyType(dict(self.facts))

    def lookup(self, names: Iterable[str]) -> dict[str, Json]:
        """Return the values of these dotted facts; those never recorded are left out."""
        found = {name: self._value(name) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, name: str) -> Json:
        *path, last = name.split(".")
        if path[0] != INPUT and last == "visits":
            return self.visits.get(path[0], 0)
        if path[0] != INPUT and last == "outcome":
            return self.outcomes.get(".".join(path))
        value: Json = self.facts
        for part in (*path, last):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def apply(self, event: Event) -> None:
        """Move by one event. Raises TraceCorrupt if the table does not allow it here."""
        handler = self._apply.get(event.type)
        if handler is None:
            return
        if self.finished or (self.state == "") != (event.type == BEGUN):
            raise TraceCorrupt(event.seq, f"{event.type} does not fit: the run has {self._phase()}")
        try:
            handler(event)
        except (KeyError, TypeError, AttributeError, NotCanonical) as error:
            raise TraceCorrupt(event.seq, f"{event.type} is malformed: {error}") from None

    def _phase(self) -> str:
        if self.finished:
            return "ended"
        return "begun already" if self.state else "not begun"

    def _begun(self, event: Event) -> None:
        if event.data["program"] != self._program.digest:
            raise TraceCorrupt(event.seq, "began under another program than the run is bound to")
        self.facts[INPUT] = event.data["inputs"]
        self.state = self._program.start

    def _entered(self, event: Event) -> None:
        self._here(event)
        attempt = event.data["attempt"]
        if self.open or attempt != self.attempt + 1 or self.current.kind is Kind.FINAL:
            raise TraceCorrupt(event.seq, f"{self.state} cannot be entered now as attempt {attempt}")
        self.attempt, self.open = self.attempt + 1, True
        if self._branches:
            self._branches = {}

    def _left(self, event: Event) -> None:
        self._in_open_state(event)
        row, said = self.current, event.data
        outcome = cast("str", said["outcome"])
        target = row.on.get(outcome)
        if target is None or said["next"] != target:
            raise TraceCorrupt(event.seq, f"{self.state} has no edge {outcome!r} to {said['next']}")
        data, outcomes = (said["data"], {}) if row.kind is not Kind.PARALLEL else self._joined(event)
        self._spend(event, _ms(event))
        self._remember(self.state, outcome, data)
        self.facts[self.state] = data
        if event.blobs or self.payloads or row.kind is Kind.PARALLEL:
            self._keep_payloads(event)
        self.outcomes.update(outcomes)
        self.outcomes[self.state] = outcome
        self.visits[self.state] = self.visits.get(self.state, 0) + 1
        self.transitions += 1
        self._move(target, outcome)

    def _joined(self, event: Event) -> tuple[Json, dict[str, str]]:
        """Return a parallel state's data, which is in its branches, and the outcomes of these."""
        made = {branch.name: self._branches[branch.name].data for branch in self.current.branches}
        outcomes = {name: cast("str", data["outcome"]) for name, data in made.items()}
        if (
            event.data["branches"] != outcomes
            or joined(self.current.join, outcomes.values()) != event.data["outcome"]
        ):
            raise TraceCorrupt(
                event.seq, f"{self.state} was left with another outcome than its branches join to"
            )
        by_path = {f"{self.state}.{name}": outcome for name, outcome in outcomes.items()}
        return MappingProxyType({name: data["data"] for name, data in made.items()}), by_path

    def _keep_payloads(self, event: Event) -> None:
        """A state's payloads are those of its latest output, like its facts: an earlier one's do not shine through."""
        mine = f"{self.state}."
        for name in [name for name in self.payloads if name.startswith(mine)]:
            del self.payloads[name]
        self.payloads.update({f"{mine}{blob.role}": blob.commitment for blob in event.blobs})
        if self.current.kind is Kind.PARALLEL:
            for branch, left in self._branches.items():
                made = {f"{mine}{branch}.{blob.role}": blob.commitment for blob in left.blobs}
                self.payloads.update(made)

    def _retried(self, event: Event) -> None:
        self._in_open_state(event)
        self._spend(event, _ms(event) + cast("int", event.data["wait_ms"]))
        self.open = False

    def _branch_left(self, event: Event) -> None:
        self._in_open_state(event)
        self._branches[cast("str", event.data["branch"])] = event

    def _exceeded(self, event: Event) -> None:
        self._here(event)
        target = self._program.budgets.exceeded
        if event.data["next"] != target or self.current.kind is Kind.FINAL:
            raise TraceCorrupt(event.seq, f"a budget cannot move {self.state} to {event.data['next']}")
        self._move(target, f"budget_{event.data['budget']}")

    def _finished(self, event: Event) -> None:
        self._here(event)
        if self.current.kind is not Kind.FINAL or event.data["reason"] != self.reason:
            raise TraceCorrupt(event.seq, f"the run cannot finish in {self.state} for {event.data['reason']}")
        self.finished = True

    def _interrupted(self, event: Event) -> None:
        self._here(event)
        self._spend(event, _ms(event))

    def _resumed(self, event: Event) -> None:
        self._here(event)
        self.open = False

    def _here(self, event: Event) -> None:
        if event.data["state"] != self.state:
            raise TraceCorrupt(
                event.seq, f"{event.type} is about {event.data['state']}, the run is in {self.state}"
            )

    def _in_open_state(self, event: Event) -> None:
        self._here(event)
        if not self.open:
            raise TraceCorrupt(event.seq, f"{event.type} without having entered {self.state}")

    def _spend(self, event: Event, ms: int) -> None:
        cost = cast("Mapping[str, int]", event.data["cost"])
        # Nothing spent is most attempts; anything but an object of counts is said by `added`.
        if cost or type(cost) is not MappingProxyType:
            self.cost = added(self.cost, cost)
        self.wall_ms += ms

    def _move(self, target: str, reason: str) -> None:
        self.previous, self.state, self.reason = self.state, target, reason
        self.attempt, self.open = 0, False

    def _remember(self, state: str, outcome: str, data: Json) -> None:
        known, count, change = self._outputs.get(state, (None, 0, 0))
        if known is None or not _same_output(known, (outcome, data)):
            self._changes += 1
            count = 0
        elif change != self._changes:
            count = 0  # something else changed meanwhile: the same answer is no sign of a stall
        self.repeats = count + 1
        self._outputs[state] = ((outcome, data), self.repeats, self._changes)


def _same_output(one: _Output, other: _Output) -> bool:
    """Whether two outputs are written the same. Most differ, and that is seen without writing them.

    Of values that only hold plain data, those that are unlike are written differently; some that are alike are, too:
    `True == 1`.
    """
    return one == other and encode(one) == encode(other)


def fold(program: Program, events: Iterable[Event]) -> Position:
    """Return where a run stands after `events`, from its first. Raises WrongProgram, TraceCorrupt."""
    position = Position(program)
    for event in events:
        if event.type == RUN_STARTED:
            require_program(program, event.run, binding_of(event))
        position.apply(event)
    return position


def require_program(program: Program, run: str, binding: Mapping[str, str]) -> None:
    """Check that a run is bound to this very program. Raises WrongProgram."""
    if binding.get("program") != program.digest:
        raise WrongProgram(
            f"run {run} is bound to program {str(binding.get('program'))[:12]}, not {program.digest[:12]}",
            "resume it with the program it was started with",
        )


def _ms(event: Event) -> int:
    ms = event.data["ms"]
    if type(ms) is not int or ms < 0:
        raise TypeError("ms is not a count")
    return ms
