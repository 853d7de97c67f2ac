"""Driving a queue: what it wants is done, what happened is recorded and told to it, until every head has its fate.

    event ─▶ trace ─▶ step ─▶ orders ─▶ compose · judge · land ─▶ event …

Order, for a landing: the heads' names still mean what was judged → the trace says it was judged green as this commit on
this parent → the intent, durable → the trace is anchored → compare-and-swap → the event, durable. Killed before the
swap: the target is where it was. Killed after it and before the event: taking the queue up again finds the commit on
the target and records the landing once. Killed anywhere else: whatever was being judged is judged again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import closing
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.gates.judge import LOCAL
from dev_agent.programs.anchoring import anchor_now
from dev_agent.programs.queueing.attempts import Attempts, How
from dev_agent.programs.queueing.commands import Cancel, Command, Compose, Judge, Land
from dev_agent.programs.queueing.composing import compose
from dev_agent.programs.queueing.events import Blocked, Event, Landed, Opened, Restarted, Superseded, to_json
from dev_agent.programs.queueing.model import Phase, QueueState, Verdict
from dev_agent.programs.queueing.record import EVENT, LANDING, told
from dev_agent.programs.queueing.step import opened, step
from dev_agent.repository.discovery import resolve_commit, tree_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent import cancel as cancelling
    from dev_agent.gates.judge import Judge as Answers
    from dev_agent.programs.queueing.destination import Destination
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.trace import Journal


class Watcher:
    """Told how a queue goes on; every method does nothing by default."""

    def happened(self, event: Event, state: QueueState) -> None:
        """Called after every event, with the state it led to."""


@dataclass(kw_only=True)
class Driver:
    """One process driving one queue."""

    repository: Repository
    journal: Journal
    destination: Destination
    how: How
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    cancel: cancelling.Cancel
    watcher: Watcher
    answered_by: Answers = LOCAL
    refused: bool = False
    _orders: deque[Command] = field(default_factory=deque)

    def begin(self, event: Opened) -> QueueState:
        """Drive a new queue to its end, or to where it halts. Raises KeyboardInterrupt when asked to stop."""
        self._record(event)
        state, orders = opened(event)
        self.watcher.happened(event, state)
        self._orders.extend(orders)
        return self._drive(state)

    def go_on(self) -> QueueState:
        """Drive a queue that another process left, from its trace."""
        state = told(self.journal.run, self.journal.events).state
        if state is None:
            raise AssertionError("BUG: a queue that had not begun was gone on with")
        for batch in state.line:
            if batch.phase is Phase.LANDING and self.destination.holds(self.repository, batch.commit):
                state = self._tell(state, Landed(batch=batch.id, commit=batch.commit))
        self._orders.clear()
        return self._drive(self._tell(state, Restarted(tip=self.destination.tip(self.repository))))

    def _drive(self, state: QueueState) -> QueueState:
        attempts = Attempts(
            repository=self.repository, how=self.how, environ=self.environ, answered_by=self.answered_by
        )
        with closing(attempts):
            while not (state.finished or state.halted):
                self.cancel.check()
                if self._orders:
                    state = self._do(state, self._orders.popleft(), attempts)
                    continue
                answer = attempts.next()
                if answer is not None:
                    state = self._tell(state, answer)
        return state

    def _do(self, state: QueueState, order: Command, attempts: Attempts) -> QueueState:
        match order:
            case Judge():
                attempts.begin(order)
                return state
            case Cancel():
                attempts.cancel(order.attempt)
                return state
            case Compose():
                current = state.batch(order.batch)
                if current is None or (current.phase, current.parent) != (Phase.COMPOSING, order.parent):
                    return state
                return self._tell(state, compose(self.repository, order, self.journal.run))
            case Land():
                return self._tell(state, self._land(order))

    def _land(self, order: Land) -> Event:
        for item in order.items:
            now = resolve_commit(self.repository, item.name)
            if now != item.commit:
                return Superseded(number=item.number, now=now or "")
        self._require_judged(order)
        intent = {
            "commit": order.commit,
            "tree": tree_of(self.repository, order.commit),
            "parent": order.parent,
            "run": order.run,
            "ref": self.destination.ref,
        }
        self.journal.append(LANDING, intent, durable=True)
        refusal = self.destination.publish(
            self.repository,
            parent=order.parent,
            commit=order.commit,
            run=order.run,
            cancel=self.cancel,
            flush_trace=self.journal.flush,
            on_begin=lambda: anchor_now(self.repository, self.journal, "landing"),
        )
        self.refused = isinstance(refusal, Blocked)
        return refusal or Landed(batch=order.batch, commit=order.commit)

    def _require_judged(self, order: Land) -> None:
        """Ask the trace, not the state: what is about to land was judged green as itself on this very parent."""
        wanted = {"commit": order.commit, "parent": order.parent, "run": order.run}
        for one in self.journal.events:
            data = one.data
            if (
                one.type == EVENT
                and (data.get("event"), data.get("verdict")) == ("judged", Verdict.GREEN.value)
                and all(data.get(name) == value for name, value in wanted.items())
            ):
                return
        raise AssertionError(f"BUG: {order.commit} was never judged green on {order.parent}")

    def _tell(self, state: QueueState, event: Event) -> QueueState:
        self._record(event)
        after, orders = step(state, event)
        self._orders.extend(orders)
        self.watcher.happened(event, after)
        return after

    def _record(self, event: Event) -> None:
        self.journal.append(EVENT, to_json(event), durable=True)
