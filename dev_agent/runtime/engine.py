"""The engine: drives a program, and is the only place where a run moves from state to state.

    PROGRAM = '''
    name = "greet"
    start = "ask"
    [facts]
    who = "str"
    [budgets]
    transitions = 10
    exceeded = "rejected"
    [states.ask]
    kind = "action"
    on = { polite = "greeted", rude = "rejected", error = "rejected" }
    [states.greeted]
    kind = "final"
    [states.rejected]
    kind = "final"
    '''

    def ask(view: View) -> Result:
        who = view.facts["input"]["who"]
        return Result("polite" if who else "rude", {"length": len(who)}, cost={"tokens": 3})

    actions = {"ask": ActionSpec("ask", frozenset({"polite", "rude"}), {"length": FactType.INT}, ask)}
    program = load_program(PROGRAM, source="greet.toml")
    with Journal.create(folder, "run-1", {"program": program.digest}, clock) as journal:
        engine = Engine(program, actions, journal, clock=clock, cancel=NeverCancelled(), reporter=Reporter())
        ending = engine.start({"who": "Ada"})       # EndingKind.FINAL, state "greeted", reason "polite"
    # later, also in another process, after a crash, an interruption or in a wait state:
    with Journal.open(folder, clock) as journal:
        Engine(program, actions, journal, ...).resume()     # or .resume({"outcome": "approved", "data": {}})

The order of every step: append `entered` → run the action → check, canonicalise and freeze its output →
append `left` → only then move, by table look-up. Both are on the disk before going on for states flagged
`durable`, for waits and for finals (there the flush of `finished`, which follows at once, serves both). A power
loss is a kill at some point after the last of these. Killed between any two lines, the journal says where the
run stands, and `resume` re-enters the open state with the next attempt number. The binding of the journal must
hold the digest of the program under "program": a run goes on under the program it was started with, or not at
all.

Iterative; time and memory grow linearly with the transitions. Running actions is `attempt` and `branches`, what they
see `views`, what a state chooses `choosing`, where the run stands `fold`, whether it may go on `budgets`. What is left
here is the order of the steps, which is why it stays in one file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property, partial
from types import MappingProxyType

from dev_agent.runtime import fold
from dev_agent.runtime.account import made, redactions
from dev_agent.runtime.actions import (
    Action,
    ActionSpec,
    AnySpec,
    ModelActionSpec,
    Record,
    Result,
    View,
)
from dev_agent.runtime.attempt import Attempt, attempted
from dev_agent.runtime.branches import Buffer, join_attempts, outcomes_by_branch, run_all, total_cost
from dev_agent.runtime.budgets import overrun
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.capabilities import Capabilities, CapabilityRef, Resolver
from dev_agent.runtime.choosing import Choices
from dev_agent.runtime.declared import declared_facts, used_actions
from dev_agent.runtime.ending import Ending, EndingKind
from dev_agent.runtime.errors import JournalFailed, RunRefused, RuntimeFault
from dev_agent.runtime.fold import Position
from dev_agent.runtime.host import Cancel, Clock, Reporter
from dev_agent.runtime.intake import checked_inputs, checked_signal
from dev_agent.runtime.program import Program
from dev_agent.runtime.projection import ModelView, Prompt, TraceView
from dev_agent.runtime.states import ERROR, Branch, FactType, Kind, State
from dev_agent.runtime.trace import Journal
from dev_agent.runtime.validation import prove
from dev_agent.runtime.views import Views
from dev_agent.runtime.written import joined, written

__all__ = [
    "Action",
    "ActionSpec",
    "CapabilityRef",
    "Ending",
    "EndingKind",
    "Engine",
    "FactType",
    "ModelActionSpec",
    "ModelView",
    "Prompt",
    "Reporter",
    "Result",
    "View",
]


class Engine:
    """Drives one run of a proved program. Raises ProgramRefused when made.

    `sleep` waits between attempts (seconds; may return early), `workers` bounds the threads of a fork.
    `capabilities` gives the secret behind a capability's name; without it no action can resolve any.
    """

    def __init__(  # noqa: PLR0913 - made in few places, by name
        self,
        program: Program,
        actions: Mapping[str, AnySpec],
        journal: Journal,
        *,
        clock: Clock,
        cancel: Cancel,
        reporter: Reporter | None = None,
        sleep: Callable[[float], object] = time.sleep,
        workers: int = 4,
        capabilities: Resolver | None = None,
    ) -> None:
        prove(program, actions)
        self._program = program
        # Of all there are, those of this program: the others may not even be imported.
        self._actions = {
            name: actions[name] for state in program.states.values() for name in used_actions(state)
        }
        self._journal = journal
        self._clock = clock
        self._cancel = cancel
        self._reporter = reporter or Reporter()
        self._sleep = sleep
        self._workers = workers
        self._capabilities = Capabilities(capabilities)
        self._declared = cache(partial(declared_facts, program, self._actions))
        self._views = Views(
            program, journal, cancel=cancel, capabilities=self._capabilities, declared=self._declared
        )
        self._position = Position(program)
        self._step: Mapping[Kind, Callable[[State], Ending | None]] = {
            Kind.ACTION: self._act,
            Kind.PARALLEL: self._fork,
            Kind.CHOOSE: self._choose,
            Kind.WAIT: self._wait,
            Kind.FINAL: self._finish,
        }

    @cached_property
    def _choices(self) -> Choices:
        """The conditions of the states that choose, parsed when the first of them is entered."""
        return Choices(self._program, self._declared())

    def start(self, inputs: Mapping[str, Json]) -> Ending:
        """Begin the run with these inputs and drive it.

        Raises InputsRefused, WrongProgram, RunRefused (nothing changed), JournalFailed.
        Killed before `begun` is written: the run has not begun, and `start` can be called again.
        """
        self._position = fold.fold(self._program, self._journal.events)
        if self._position.state:
            raise RunRefused(f"run {self._journal.run} has begun already", "resume it")
        checked = checked_inputs(self._program, inputs)
        recorded = TraceView.of(checked, self._program.facts)
        begun = {"program": self._program.digest, "inputs": recorded.data, **redactions(recorded.redacted)}
        self._commit(fold.BEGUN, begun, actor="user")
        return self._drive()

    def resume(self, signal: Mapping[str, Json] | None = None) -> Ending:
        """Take the run up where its trace ends; `signal` = {"outcome", "data"} answers a wait state.

        A run that has ended, or waits and got no signal, returns its ending without any event. Raises
        WrongSignal, WrongProgram, RunRefused (nothing changed), TraceCorrupt, JournalFailed.
        """
        self._position = position = fold.fold(self._program, self._journal.events)
        if not position.state:
            raise RunRefused(f"run {self._journal.run} has not begun", "start it")
        if signal is not None:
            self._answer(signal)
        elif position.finished:
            return self._ending(EndingKind.FINAL)
        elif position.waiting:
            return self._ending(EndingKind.SUSPENDED)
        elif position.current.kind is not Kind.FINAL:
            self._commit(fold.RESUMED, {"state": position.state})
            self._reporter.noted(f"resumed in {position.state}")
        return self._drive()

    def _answer(self, signal: Mapping[str, Json]) -> None:
        outcome, data = checked_signal(self._position, signal)
        self._leave(Attempt(outcome=outcome, content=written(data)), actor="user", durable=True)

    def _drive(self) -> Ending:
        try:
            while True:
                ending = self._advance()
                if ending is not None:
                    return ending
        except KeyboardInterrupt:
            return self._interrupted()

    def _advance(self) -> Ending | None:
        """Do one step of the run; an Ending stops the drive."""
        state = self._position.current
        if state.kind is not Kind.FINAL:
            if self._cancel.requested:
                return self._interrupted()
            if self._budget_ends_it(state):
                return None
        return self._step[state.kind](state)

    def _budget_ends_it(self, state: State) -> bool:
        over = overrun(self._program, self._position, (spec.spends for spec in self._specs(state)))
        if over is None:
            return False
        data = {"state": state.name, "budget": over.budget, "limit": over.limit, "spent": over.spent}
        self._commit(fold.EXCEEDED, {**data, "next": self._program.budgets.exceeded}, durable=True)
        self._reporter.noted(f"budget {over.budget}: {over.spent} of {over.limit} used")
        return True

    def _act(self, state: State) -> Ending | None:
        self._enter(state, durable=state.durable)
        (spec,) = self._specs(state)
        view = self._views.of(self._position, state, spec, recorder=self._record)
        model = self._views.of_model(self._position, spec, state.shows, view)
        attempt = attempted(spec, view, self._clock, state.timeout_ms, model)
        if self._was_interrupted([attempt]):
            return self._interrupted([attempt])
        retry = state.retry
        if retry and attempt.outcome in retry.on and self._position.attempt < retry.attempts:
            self._retry(attempt, retry.wait_ms(self._position.attempt))
        else:
            self._leave(attempt, durable=state.durable)
        return None

    def _retry(self, attempt: Attempt, wait_ms: int) -> None:
        state = self._position.state
        data = {**self._ended(attempt), "wait_ms": wait_ms}
        self._commit(fold.RETRIED, data, blobs=attempt.blobs)
        self._tell_cost(state, attempt)
        self._reporter.retried(state, attempt.outcome, wait_ms)
        if wait_ms:
            self._sleep(wait_ms / 1000)

    def _fork(self, state: State) -> Ending | None:
        self._enter(state, durable=state.durable)
        specs = self._specs(state)
        buffers = [Buffer() for _ in specs]
        jobs = [
            self._job(state, branch, spec, buffer)
            for branch, spec, buffer in zip(state.branches, specs, buffers, strict=True)
        ]
        for branch in state.branches:
            self._reporter.branch_started(state.name, branch.name)
        attempts = run_all(
            jobs,
            workers=self._workers,
            cancel=self._cancel,
            ended=lambda index, attempt: self._reporter.branch_left(
                state.name, state.branches[index].name, attempt.outcome, attempt.ms
            ),
        )
        if self._was_interrupted(attempts):
            return self._interrupted(attempts)
        for branch, buffer, attempt in zip(state.branches, buffers, attempts, strict=True):
            self._append_branch(state, branch, buffer, attempt)
        self._leave(
            join_attempts(state, attempts),
            durable=state.durable,
            branches=outcomes_by_branch(state, attempts),
        )
        return None

    def _job(self, state: State, branch: Branch, spec: AnySpec, buffer: Buffer) -> Callable[[], Attempt]:
        share = sum(bool(other.spends & spec.spends) for other in self._specs(state))
        view = self._views.of(
            self._position, state, spec, recorder=buffer.record, branch=branch.name, share=share
        )
        model = self._views.of_model(self._position, spec, branch.shows, view)
        return lambda: attempted(spec, view, self._clock, state.timeout_ms, model)

    def _append_branch(self, state: State, branch: Branch, buffer: Buffer, attempt: Attempt) -> None:
        names = {"state": state.name, "branch": branch.name, "action": branch.action}
        self._commit(fold.BRANCH_ENTERED, names)
        for record in buffer.records:
            self._record(record)
        data = {"outcome": attempt.outcome, "ms": attempt.ms, "cost": attempt.cost}
        gave = made(attempt, self._actions[branch.action].facts)
        self._commit(fold.BRANCH_LEFT, {**names, **data, **gave}, blobs=attempt.blobs)

    def _choose(self, state: State) -> None:
        self._enter(state)
        self._leave(self._choices.attempt(state, self._position))

    def _wait(self, state: State) -> Ending:
        self._enter(state, durable=True)
        return self._ending(EndingKind.SUSPENDED)

    def _finish(self, state: State) -> Ending:
        self._commit(fold.FINISHED, {"state": state.name, "reason": self._position.reason}, durable=True)
        return self._ending(EndingKind.FINAL)

    def _enter(self, state: State, *, durable: bool = False) -> None:
        attempt = self._position.attempt + 1
        self._commit(fold.ENTERED, {"state": state.name, "attempt": attempt}, durable=durable)
        self._reporter.entered(state.name, attempt)

    def _leave(
        self,
        attempt: Attempt,
        *,
        actor: str = "agent",
        durable: bool = False,
        branches: Mapping[str, str] | None = None,
    ) -> None:
        state = self._position.current
        target = state.on[attempt.outcome]
        data = {**self._ended(attempt), "next": target}
        if branches is not None:
            data["branches"] = branches
        self._commit(fold.LEFT, data, actor=actor, blobs=attempt.blobs, durable=durable)
        self._tell_cost(state.name, attempt)
        self._reporter.left(state.name, attempt.outcome, attempt.ms)

    def _tell_cost(self, state: str, attempt: Attempt) -> None:
        if attempt.cost:
            self._reporter.spent(state, attempt.cost, MappingProxyType(dict(self._position.cost)))

    def _ended(self, attempt: Attempt) -> dict[str, object]:
        state = self._position.current
        facts = self._actions[state.action].facts if state.action else state.facts
        return {
            "state": state.name,
            "attempt": self._position.attempt,
            "outcome": attempt.outcome,
            "ms": attempt.ms,
            "cost": attempt.cost,
            **made(attempt, facts),
        }

    def _commit(
        self,
        type: str,  # noqa: A002 - the event's field
        data: Mapping[str, object],
        *,
        actor: str = "agent",
        blobs: Mapping[str, bytes] | None = None,
        durable: bool = False,
    ) -> None:
        """Append an event, then move by it; the shield keeps an interruption from parting the two."""
        data, blobs = self._capabilities.scrubbed(data), self._capabilities.scrubbed(blobs)
        content = joined(data)
        with self._shield():
            event = self._journal.append(type, content, actor=actor, blobs=blobs, durable=durable)
            self._position.apply(event)

    def _record(self, record: Record) -> None:
        if record.type in fold.RESERVED:
            raise RuntimeFault(f"events of type {record.type!r} are the engine's own", "choose another type")
        recorded = TraceView.of(record.data)
        data, blobs = self._capabilities.scrubbed((recorded.data, record.blobs))
        with self._shield():
            self._journal.append(
                record.type,
                {**redactions(recorded.redacted), **data},
                actor=record.actor,
                blobs=blobs,
                durable=record.durable,
            )

    def _shield(self) -> AbstractContextManager[None]:
        """Hold interruptions off; only the main thread gets any, and only it may touch the shield."""
        if threading.current_thread() is threading.main_thread():
            return self._cancel.shielded()
        return nullcontext()

    def _specs(self, state: State) -> list[AnySpec]:
        names = [state.action] if state.action else [branch.action for branch in state.branches]
        return [self._actions[name] for name in names]

    def _was_interrupted(self, attempts: Iterable[Attempt]) -> bool:
        """A stop was asked for and somebody obeyed. What ended well all the same is recorded."""
        # Asked to stop, most actions fail one way or another; that says nothing about the change at hand.
        stopping = self._cancel.requested
        return any(attempt.interrupted or (attempt.outcome == ERROR and stopping) for attempt in attempts)

    def _interrupted(self, attempts: Iterable[Attempt] = ()) -> Ending:
        # The interruption may have come between file and memory: only the journal knows where the run stands.
        self._position = position = fold.fold(self._program, self._journal.events)
        if position.finished:
            return self._ending(EndingKind.FINAL)
        if position.waiting:
            return self._ending(EndingKind.SUSPENDED)
        ended = list(attempts)
        data = {
            "state": position.state,
            "ms": max((a.ms for a in ended), default=0),
            "cost": total_cost(ended),
        }
        try:
            self._commit(fold.INTERRUPTED, data, durable=True)
        except JournalFailed as fault:
            raise KeyboardInterrupt from fault
        return self._ending(EndingKind.INTERRUPTED)

    def _ending(self, kind: EndingKind) -> Ending:
        position = self._position
        return Ending(
            kind=kind,
            state=position.state,
            reason=position.reason,
            previous=position.previous,
            facts=position.frozen_facts(),
        )
