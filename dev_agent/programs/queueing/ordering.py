"""Putting the line in order, from the front. Pure: a state in, the state in order out.

1. heads that wait become batches while there are slots for them;
2. a red batch is decided once all ahead of it is green or itself failing: several heads are halved, one alone is judged
   once more as the very same commit, and put out only at the front of the line, on the tip;
3. a batch that stands on another commit than the nearest one ahead that is not failing is void, and made again; a head
   that was red alone there is suspect until it was judged again, and nobody stands on it;
4. the slots belong to the foremost batches: one further behind gives its slot to one further ahead;
5. the front lands if it is green on the tip.

A line is as long as a queue has slots, and longer; an event changes a batch or two. What follows from a batch's place
follows from those ahead of it, so the third step begins at the first batch that is another one than before, and ends
where all further ones are the same and stand on the same commit: `known` says what was before.
"""

from __future__ import annotations

from dataclasses import replace

from dev_agent.programs.queueing.comparing import difference
from dev_agent.programs.queueing.model import Batch, Fate, Phase, QueueState
from dev_agent.programs.queueing.taking import CHANCES, decide, exchanged

_UNDECIDED = (Phase.WAITING, Phase.COMPOSING, Phase.COMPOSED, Phase.JUDGING)
_MADE = (Phase.COMPOSED, Phase.JUDGING, Phase.GREEN, Phase.LANDING)


def in_order(state: QueueState, *, known: QueueState | None = None) -> QueueState:
    """The state with its line in order, and every batch in the phase that says what is being done about it.

    `known`, if given, was given back by this function, and makes it quicker and nothing else.
    """
    settled = state if state.halted else _settled(state)
    while settled != state and not settled.halted:
        state, settled = settled, _settled(settled)
    if settled.halted:
        return replace(settled, line=tuple(_stopped(one) for one in settled.line))
    # A halted line is not in order: its judgements were stopped.
    return _landing(_slots(_parents(_filled(state), None if known is None or known.halted else known)))


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
    if not state.waiting:
        return state
    free = state.jobs - sum(one.phase in _UNDECIDED for one in state.line)
    heads = state.waiting[: max(free, 0) * state.size]
    groups = [heads[at : at + state.size] for at in range(0, len(heads), state.size)]
    fresh = [Batch(id=state.batches + count, items=items) for count, items in enumerate(groups)]
    return replace(
        state,
        waiting=state.waiting[len(heads) :],
        line=(*state.line, *fresh),
        batches=state.batches + len(fresh),
    )


def _parents(state: QueueState, known: QueueState | None) -> QueueState:
    """Every batch on the nearest commit ahead that is not failing; what stands elsewhere starts anew.

    In a line that is in order this changes nothing, so what a `known` one has in common with this, at either end, is
    passed over: behind the last batch that is another one than there, as soon as the commit to stand on is the same.
    """
    line, (old, old_tip) = state.line, ((), "") if known is None else (known.line, known.tip)
    apart = difference(old, line)
    # What is ahead stands where it stood only on the same tip.
    start = at = apart.ahead if old_tip == state.tip else 0
    expected = _expected(line, at, state.tip)
    made: list[Batch] = []
    while at < len(line):
        there = len(old) - len(line) + at
        if at >= len(line) - apart.behind and expected == _expected(old, there, old_tip):
            break
        made.append(_standing(line[at], expected))
        expected = _behind(made[-1], expected)
        at += 1
    return replace(state, line=(*line[:start], *made, *line[at:]))


def _standing(batch: Batch, expected: str) -> Batch:
    """The batch on the commit it should stand on, "" if that is not made yet."""
    if batch.phase not in (Phase.WAITING, Phase.LANDING) and batch.parent != expected:
        batch = Batch(id=batch.id, items=batch.items, suspect=batch.alone and batch.failing)
    if batch.phase is Phase.WAITING and expected:
        batch = replace(batch, phase=Phase.COMPOSING, parent=expected)
    return batch


def _behind(batch: Batch, expected: str) -> str:
    """The commit that the next one should stand on, if this one should on `expected`."""
    if batch.phase in (Phase.WAITING, Phase.COMPOSING):
        return ""
    return batch.commit if batch.phase in _MADE and not batch.failing else expected


def _expected(line: tuple[Batch, ...], at: int, tip: str) -> str:
    """The commit that the batch at this place should stand on: the nearest ahead that is not stepped over says it."""
    for batch in reversed(line[:at]):
        if batch.phase in (Phase.WAITING, Phase.COMPOSING) or (batch.phase in _MADE and not batch.failing):
            return _behind(batch, tip)
    return tip


def _slots(state: QueueState) -> QueueState:
    """The foremost batches that have a commit and no verdict are being judged, one a slot."""
    composed, judging = Phase.COMPOSED, Phase.JUDGING
    wanting = [at for at, one in enumerate(state.line) if one.phase is judging or one.phase is composed]
    begun = [at for at in wanting[: state.jobs] if state.line[at].phase is composed]
    stopped = [at for at in wanting[state.jobs :] if state.line[at].phase is judging]
    if not begun and not stopped:
        return state
    line = list(state.line)
    for attempt, at in enumerate(begun, state.attempts + 1):
        line[at] = replace(line[at], phase=judging, attempt=attempt)
    for at in stopped:
        line[at] = _stopped(line[at])
    return replace(state, line=tuple(line), attempts=state.attempts + len(begun))


def _landing(state: QueueState) -> QueueState:
    if not state.line or state.line[0].phase is not Phase.GREEN:
        return state
    front = state.line[0]
    if front.parent != state.tip:
        raise AssertionError("BUG: the front of the line was judged on another commit than the tip")
    return exchanged(state, front, replace(front, phase=Phase.LANDING))


def _stopped(batch: Batch) -> Batch:
    return replace(batch, phase=Phase.COMPOSED, attempt=0) if batch.phase is Phase.JUDGING else batch
