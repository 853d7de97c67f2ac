"""What an event changes by itself, before the line is put in order. Pure.

An event that speaks of a batch or an attempt that is no more changes nothing: answers come late. One that contradicts
what was asked for is our bug, and stops everything before anything lands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dev_agent.programs.queueing.events import (
    Blocked,
    Composed,
    Event,
    Judged,
    Landed,
    Moved,
    Opened,
    Restarted,
    Superseded,
)
from dev_agent.programs.queueing.model import Batch, Decision, Fate, Item, Phase, QueueState, Verdict

CHANCES = 2
"""As often a head alone is judged as one commit before it is put out, and a judgement may come to nothing."""


def take(state: QueueState, event: Event) -> QueueState:
    """The state with what the event says written into it."""
    match event:
        case Composed():
            return _composed(state, event)
        case Judged():
            return _judged(state, event)
        case Landed():
            return _landed(state, event)
        case Moved():
            return _moved(state, event)
        case Superseded():
            return _superseded(state, event)
        case Blocked():
            return replace(_moved(state, Moved(tip=state.tip)), halted=event.reason)
        case Restarted():
            return _restarted(state, event)
        case Opened():
            raise AssertionError("BUG: a queue was opened twice")


def decide(batch: Batch, fate: Fate, reason: str) -> tuple[Decision, ...]:
    """The same fate for all heads of a batch."""
    commit = batch.commit if fate is Fate.LANDED else ""
    return tuple(
        Decision(item=item, fate=fate, reason=reason, commit=commit, run=batch.run) for item in batch.items
    )


def exchanged(state: QueueState, batch: Batch, *parts: Batch) -> QueueState:
    """The line with `parts` where `batch`, which is one of its own, was."""
    at = next(at for at, one in enumerate(state.line) if one is batch)
    return replace(state, line=(*state.line[:at], *parts, *state.line[at + 1 :]))


def _composed(state: QueueState, event: Composed) -> QueueState:
    batch = state.batch(event.batch)
    if batch is None or batch.phase is not Phase.COMPOSING or batch.parent != event.parent:
        return state
    by_number = {one.number: one for one in batch.items}
    conflicts = dict(event.conflicts)
    if batch.alone and batch.items[0].number in conflicts:
        red = replace(batch, phase=Phase.RED, settled=True, why=conflicts[batch.items[0].number])
        return exchanged(state, batch, red)
    if batch.alone and batch.items[0].number in event.contained:
        return exchanged(state, batch, replace(batch, phase=Phase.EMPTY))
    included = tuple(by_number[number] for number in event.included)
    parts = [replace(batch, items=included, phase=Phase.COMPOSED, commit=event.commit)] if included else []
    apart = [one for one in batch.items if one.number in conflicts or one.number in event.contained]
    parts += [Batch(id=state.batches + count, items=(one,)) for count, one in enumerate(apart)]
    return replace(exchanged(state, batch, *parts), batches=state.batches + len(apart))


def _judged(state: QueueState, event: Judged) -> QueueState:
    batch = next((one for one in state.line if one.attempt == event.attempt), None)
    if batch is None or batch.phase is not Phase.JUDGING:
        return state
    if (batch.commit, batch.parent) != (event.commit, event.parent):
        raise AssertionError("BUG: a judgement is about another commit than it was asked for")
    state = replace(state, rounds=state.rounds + 1)
    told = replace(batch, why=event.reason, run=event.run)
    if event.verdict is Verdict.GREEN:
        grown = min(state.size * 2, state.max_batch)
        return replace(
            exchanged(state, batch, replace(told, phase=Phase.GREEN, reds=0, suspect=False)), size=grown
        )
    if event.verdict is Verdict.RED:
        return exchanged(state, batch, replace(told, phase=Phase.RED, reds=batch.reds + 1))
    phase = Phase.STUCK if batch.errors + 1 >= CHANCES else Phase.COMPOSED
    return exchanged(state, batch, replace(told, phase=phase, errors=batch.errors + 1))


def _landed(state: QueueState, event: Landed) -> QueueState:
    batch = state.batch(event.batch)
    if batch is None or batch.phase is not Phase.LANDING or batch.commit != event.commit:
        raise AssertionError("BUG: something landed that was not to land")
    fates = decide(batch, Fate.LANDED, "")
    return replace(exchanged(state, batch), tip=event.commit, decided=(*state.decided, *fates))


def _moved(state: QueueState, event: Moved) -> QueueState:
    line = tuple(replace(one, phase=Phase.GREEN) if one.phase is Phase.LANDING else one for one in state.line)
    return replace(state, tip=event.tip, line=line)


def _superseded(state: QueueState, event: Superseded) -> QueueState:
    item = next((one for one in _undecided(state) if one.number == event.number), None)
    if item is None:
        return state
    reason = f"{item.name} is at {event.now[:12]} now" if event.now else f"{item.name} is gone"
    decided = (*state.decided, Decision(item=item, fate=Fate.SUPERSEDED, reason=reason))
    waiting = tuple(one for one in state.waiting if one is not item)
    state = replace(state, decided=decided, waiting=waiting)
    for batch in state.line:
        if item in batch.items:
            rest = tuple(one for one in batch.items if one is not item)
            # Landing was only meant to begin: whoever lands looks for this first.
            fresh = (Batch(id=state.batches, items=rest),) if rest else ()
            return replace(exchanged(state, batch, *fresh), batches=state.batches + 1)
    return state


def _restarted(state: QueueState, event: Restarted) -> QueueState:
    back = {
        Phase.COMPOSING: Phase.WAITING,
        Phase.JUDGING: Phase.COMPOSED,
        Phase.STUCK: Phase.COMPOSED,
        Phase.LANDING: Phase.GREEN,
    }
    line = tuple(replace(one, phase=back.get(one.phase, one.phase), errors=0) for one in state.line)
    return replace(state, line=line, tip=event.tip, halted="")


def _undecided(state: QueueState) -> Iterator[Item]:
    yield from state.waiting
    for batch in state.line:
        yield from batch.items
