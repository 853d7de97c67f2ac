"""Putting the line in order, from the front. Pure: a state in, the state in order out.

1. heads that wait become batches while there are slots for them;
2. a red batch is decided once all ahead of it is green or itself failing: several heads are halved, one alone is judged
   once more as the very same commit, and put out only at the front of the line, on the tip;
3. a batch that stands on another commit than the nearest one ahead that is not failing is void, and made again; a head
   that was red alone there is suspect until it was judged again, and nobody stands on it;
4. the slots belong to the foremost batches: one further behind gives its slot to one further ahead;
5. the front lands if it is green on the tip.
"""

from __future__ import annotations

from dataclasses import replace

from dev_agent.programs.queueing.model import Batch, Fate, Phase, QueueState
from dev_agent.programs.queueing.taking import CHANCES, decide, exchanged

_UNDECIDED = (Phase.WAITING, Phase.COMPOSING, Phase.COMPOSED, Phase.JUDGING)
_MADE = (Phase.COMPOSED, Phase.JUDGING, Phase.GREEN, Phase.LANDING)


def in_order(state: QueueState) -> QueueState:
    """The state with its line in order, and every batch in the phase that says what is being done about it."""
    settled = state if state.halted else _settled(state)
    while settled != state and not settled.halted:
        state, settled = settled, _settled(settled)
    if settled.halted:
        return replace(settled, line=tuple(_stopped(one) for one in settled.line))
    return _landing(_slots(_parents(_filled(state))))


def _settled(state: QueueState) -> QueueState:
    """One decision about a red or an empty batch, if one is due; else the same state.

    What is failing is stepped over as those behind it step over it, so that several reds are judged once more side by
    side: one after the other they would hold up the line by a judgement each, however many slots there are.
    """
    expected = state.tip
    for at, batch in enumerate(state.line):
        if batch.parent != expected:
            return state
        if batch.phase in (Phase.RED, Phase.EMPTY, Phase.STUCK):
            decided = _decided(state, batch, front=at == 0)
            if decided is not state:
                return decided
        elif batch.phase in (Phase.GREEN, Phase.LANDING):
            expected = batch.commit
        elif not batch.failing:
            return state
    return state


def _decided(state: QueueState, batch: Batch, *, front: bool) -> QueueState:
    """What becomes of a batch that is red, holds nothing new or cannot be judged, while all ahead of it is green."""
    if batch.phase is Phase.STUCK:
        return replace(state, halted=batch.why) if front else state
    if batch.phase is Phase.EMPTY:
        fates = decide(batch, Fate.CONTAINED, "the target holds it already") if front else ()
        return replace(exchanged(state, batch), decided=(*state.decided, *fates)) if front else state
    if not batch.alone:
        half = (len(batch.items) + 1) // 2
        first = Batch(id=state.batches, items=batch.items[:half])
        second = Batch(id=state.batches + 1, items=batch.items[half:])
        size = max(state.size // 2, 1)
        return replace(exchanged(state, batch, first, second), batches=state.batches + 2, size=size)
    if not batch.settled and batch.reds < CHANCES:
        return exchanged(state, batch, replace(batch, phase=Phase.COMPOSED))
    if not front:
        return state
    return replace(exchanged(state, batch), decided=(*state.decided, *decide(batch, Fate.EJECTED, batch.why)))


def _filled(state: QueueState) -> QueueState:
    """New batches at the end of the line, while some slot would have nothing to do."""
    while state.waiting and sum(one.phase in _UNDECIDED for one in state.line) < state.jobs:
        batch = Batch(id=state.batches, items=state.waiting[: state.size])
        state = replace(
            state,
            waiting=state.waiting[state.size :],
            line=(*state.line, batch),
            batches=state.batches + 1,
        )
    return state


def _parents(state: QueueState) -> QueueState:
    """Every batch on the nearest commit ahead that is not failing; what stands elsewhere starts anew."""
    expected = state.tip
    line = []
    for batch in state.line:
        now = batch
        if now.phase not in (Phase.WAITING, Phase.LANDING) and now.parent != expected:
            now = Batch(id=now.id, items=now.items, suspect=now.alone and now.failing)
        if now.phase is Phase.WAITING and expected:
            now = replace(now, phase=Phase.COMPOSING, parent=expected)
        line.append(now)
        if now.phase in (Phase.WAITING, Phase.COMPOSING):
            expected = ""
        elif now.phase in _MADE and not now.failing:
            expected = now.commit
    return replace(state, line=tuple(line))


def _slots(state: QueueState) -> QueueState:
    """The foremost batches that have a commit and no verdict are being judged, one a slot."""
    left, attempts, line = state.jobs, state.attempts, []
    for batch in state.line:
        now = batch
        if now.phase in (Phase.COMPOSED, Phase.JUDGING):
            if left == 0:
                now = _stopped(now)
            elif now.phase is Phase.COMPOSED:
                attempts += 1
                now = replace(now, phase=Phase.JUDGING, attempt=attempts)
            left = max(left - 1, 0)
        line.append(now)
    return replace(state, line=tuple(line), attempts=attempts)


def _landing(state: QueueState) -> QueueState:
    if not state.line or state.line[0].phase is not Phase.GREEN:
        return state
    front = state.line[0]
    if front.parent != state.tip:
        raise AssertionError("BUG: the front of the line was judged on another commit than the tip")
    return exchanged(state, front, replace(front, phase=Phase.LANDING))


def _stopped(batch: Batch) -> Batch:
    return replace(batch, phase=Phase.COMPOSED, attempt=0) if batch.phase is Phase.JUDGING else batch
