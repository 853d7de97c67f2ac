"""Deciding: a state and an event give the next state and what is to be done. Pure; nothing else decides.

What is to be done is read off the difference: a batch that is now being composed, judged or landed, and was not once
the event was taken in, is an order; an attempt that was running and runs no more is to be cancelled. So the state says
everything, and a state folded from a trace goes on as the one that was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dev_agent.programs.queueing.commands import Cancel, Command, Compose, Judge, Land
from dev_agent.programs.queueing.comparing import difference
from dev_agent.programs.queueing.events import Event, Judged, Opened, Restarted
from dev_agent.programs.queueing.model import Batch, Phase, QueueState
from dev_agent.programs.queueing.ordering import in_order
from dev_agent.programs.queueing.taking import take


def opened(event: Opened) -> tuple[QueueState, tuple[Command, ...]]:
    """The first state of a queue, and what is to be done first."""
    state = QueueState(
        tip=event.tip,
        jobs=max(event.jobs, 1),
        max_batch=max(event.max_batch, 1),
        size=max(event.max_batch, 1),
        waiting=event.items,
    )
    first = in_order(state)
    return first, tuple(_orders(state, first))


def step(state: QueueState, event: Event) -> tuple[QueueState, tuple[Command, ...]]:
    """The next state and what is to be done."""
    taken = take(state, event)
    after = in_order(taken, known=state)
    stopped, begun = _changed(state, after)
    gone = sorted(_running(stopped) - _running(begun) - _ended(state, event))
    return after, (*(Cancel(attempt=one) for one in gone), *_orders(taken, after))


def fold(events: Iterable[Event]) -> QueueState | None:
    """The state all of `events` lead to; None before the first."""
    state: QueueState | None = None
    for event in events:
        if state is not None:
            state, _ = step(state, event)
        elif isinstance(event, Opened):
            state, _ = opened(event)
        else:
            raise AssertionError("BUG: a queue's first event opens it")
    return state


def _ended(state: QueueState, event: Event) -> set[int]:
    """The attempts that nobody has to stop: the one that answers, and all of a process that died."""
    if isinstance(event, Restarted):
        return _running(state.line)
    return {event.attempt} if isinstance(event, Judged) else set()


def _changed(before: QueueState, after: QueueState) -> tuple[list[Batch], list[Batch]]:
    """The batches of each that the other has not as the very same value: few, of a line that may be long."""
    apart = difference(before.line, after.line)
    gone = before.line[apart.ahead : len(before.line) - apart.behind]
    come = after.line[apart.ahead : len(after.line) - apart.behind]
    here, there = set(map(id, gone)), set(map(id, come))
    return [one for one in gone if id(one) not in there], [one for one in come if id(one) not in here]


def _running(batches: Iterable[Batch]) -> set[int]:
    return {one.attempt for one in batches if one.phase is Phase.JUDGING}


def _orders(before: QueueState, after: QueueState) -> Iterator[Command]:
    """An order for every batch that is in another of the three busy phases than before, or in it for something else."""
    old, new = _changed(before, after)
    known = {_busy(one) for one in old}
    for batch in new:
        if _busy(batch) in known:
            continue
        match batch.phase:
            case Phase.COMPOSING:
                yield Compose(batch=batch.id, parent=batch.parent, items=batch.items)
            case Phase.JUDGING:
                yield Judge(
                    attempt=batch.attempt,
                    batch=batch.id,
                    parent=batch.parent,
                    commit=batch.commit,
                    fresh=batch.reds > 0,
                )
            case Phase.LANDING:
                yield Land(
                    batch=batch.id,
                    parent=batch.parent,
                    commit=batch.commit,
                    run=batch.run,
                    items=batch.items,
                )
            case _:
                pass


def _busy(batch: Batch) -> tuple[int, Phase, str, int]:
    return batch.id, batch.phase, batch.parent, batch.attempt
