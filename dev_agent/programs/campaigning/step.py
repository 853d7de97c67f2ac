"""Deciding: a state and an event give the next state and what is to be done. Pure; nothing else decides.

What is to be done is read off the difference: a row that is now working or publishing, and was not once the event was
taken in, is an order. So the state says everything, and one folded from a trace goes on as the one that was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dev_agent.programs.campaigning.budget import NOTHING, Used, reserved, settled, share
from dev_agent.programs.campaigning.events import Ended, Event, Opened, Restarted, Told
from dev_agent.programs.campaigning.model import BUSY, GOOD, CampaignState, Fate, Phase, Row
from dev_agent.programs.spending import Spending
from dev_agent.values import dataclass

_AGAIN = frozenset({Fate.WAITING, Fate.KEPT})
"""Fates of a run that is not over: begun again under its key, that very run answers how it stands now."""

_USED_UP = "the campaign's budget is used up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Let a child work on a row, within `grant`, and stop it after `left_ms` (None: whenever it ends)."""

    row: int
    grant: Spending
    left_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Publish:
    """Let the code host have what `landed` on a row's branch."""

    row: int
    landed: Row


Order = Work | Publish


def opened(event: Opened) -> tuple[CampaignState, tuple[Order, ...]]:
    """The first state of a campaign, and what is to be done first."""
    rows = tuple(Row(number=number, name=name) for number, name in enumerate(event.names))
    state = CampaignState(
        rows=rows,
        jobs=max(event.jobs, 1),
        limits=event.limits,
        publish=event.publish,
        chosen=frozenset(event.chosen),
    )
    first = _in_order(state)
    return first, tuple(_orders(state, first))


def step(state: CampaignState, event: Event) -> tuple[CampaignState, tuple[Order, ...]]:
    """The next state and what is to be done. Raises AssertionError for an answer nobody waits for: a bug of ours."""
    taken = _take(state, event)
    after = _in_order(taken)
    return after, tuple(_orders(taken, after))


def fold(events: Iterable[Event]) -> CampaignState | None:
    """The state all of `events` lead to; None before the first."""
    state: CampaignState | None = None
    for event in events:
        if state is not None:
            state, _ = step(state, event)
        elif isinstance(event, Opened):
            state, _ = opened(event)
        else:
            raise AssertionError("BUG: a campaign's first event opens it")
    return state


def _take(state: CampaignState, event: Event) -> CampaignState:
    match event:
        case Ended():
            return _exchanged(
                _passed(state, event.ms), _ended(_row(state, event.row, Phase.WORKING), event, state)
            )
        case Told():
            row = _row(state, event.row, Phase.PUBLISHING)
            told = replace(
                row, phase=Phase.DECIDED, fate=event.fate, why=event.why, pull=event.pull or row.pull
            )
            return _exchanged(_passed(state, event.ms), told)
        case Restarted():
            return replace(
                state,
                rows=tuple(_again(row, event) for row in state.rows),
                jobs=max(event.jobs, 1),
                limits=event.limits,
                publish=event.publish,
                chosen=frozenset(event.chosen),
                earlier_ms=state.elapsed_ms,
            )
        case Opened():
            raise AssertionError("BUG: a campaign was opened twice")


def _ended(row: Row, event: Ended, state: CampaignState) -> Row:
    used = settled(event.cost, row.grant or Spending())
    # The same run may answer twice, once when it began to wait and once when a person has spoken: it cost once.
    same = bool(event.run) and event.run == row.run
    landed = event.fate is Fate.LANDED
    return replace(
        row,
        phase=Phase.LANDED if landed and state.publish else Phase.DECIDED,
        fate=event.fate,
        why=event.why,
        place=event.place or row.place,
        run=event.run,
        branch=event.branch,
        base=event.base,
        commit=event.commit,
        landed=landed,
        grant=None,
        used=used,
        before=row.before if same else row.before.and_of(row.used),
    )


def _again(row: Row, event: Restarted) -> Row:
    """The row as another process finds it: what was in the hands of the one before is begun again, within its grant."""
    if row.number not in event.chosen and row.phase is Phase.DECIDED:
        return row
    if row.landed:
        return _again_landed(row, event)
    if row.phase is Phase.WORKING or row.fate is Fate.NOT_STARTED:
        return replace(row, phase=Phase.PENDING, fate=None, why="")
    if event.retry and row.fate is not None and row.fate not in GOOD:
        if row.fate in _AGAIN:
            return replace(row, phase=Phase.PENDING, fate=None, why="")
        fresh = row.before.and_of(row.used)
        return replace(row, phase=Phase.PENDING, fate=None, why="", run="", used=NOTHING, before=fresh)
    return row


def _again_landed(row: Row, event: Restarted) -> Row:
    """The change is on its branch, and only publishing it may be left to do."""
    begun = row.phase is not Phase.DECIDED
    if not event.publish:
        return replace(row, phase=Phase.DECIDED, fate=Fate.LANDED, why="") if begun else row
    left = begun or row.fate is Fate.LANDED or (event.retry and row.fate is not Fate.PUBLISHED)
    return replace(row, phase=Phase.LANDED, fate=Fate.LANDED, why="") if left else row


def _in_order(state: CampaignState) -> CampaignState:
    """Fill the free places: first with what has landed, then with what waits, as long as there is a budget for it."""
    free = state.jobs - len(state.busy)
    landed = [row for row in state.rows if row.phase is Phase.LANDED and row.number in state.chosen]
    for row in landed[: max(free, 0)]:
        state = _exchanged(state, replace(row, phase=Phase.PUBLISHING))
    free -= len(landed)
    waiting = list(state.waiting()) if free > 0 else []
    used = state.used if waiting else NOTHING
    for place, row in enumerate(waiting):
        grant = _grant(state, row, used, places=min(free, len(waiting) - place))
        if grant is None:
            # What is set aside for others may come back; only when nobody works is nothing left.
            return state if state.busy else _not_started(state, waiting[place:])
        state = _exchanged(state, replace(row, phase=Phase.WORKING, grant=grant))
        used = used if row.grant is not None else used.and_of(reserved(grant))
        free -= 1
        if free <= 0:
            break
    return state


def _grant(state: CampaignState, row: Row, used: Used, *, places: int) -> Spending | None:
    """What the row may use up: what it was given once, while there is time at all, else its share of what is free."""
    if row.grant is not None:
        late = state.limits.wall_ms is not None and state.elapsed_ms >= state.limits.wall_ms
        return None if late else row.grant
    return share(state.limits, used, elapsed_ms=state.elapsed_ms, places=places)


def _not_started(state: CampaignState, waiting: Iterable[Row]) -> CampaignState:
    for row in waiting:
        state = _exchanged(state, replace(row, phase=Phase.DECIDED, fate=Fate.NOT_STARTED, why=_USED_UP))
    return state


def _orders(before: CampaignState, after: CampaignState) -> Iterator[Order]:
    for old, new in zip(before.rows, after.rows, strict=True):
        if new.phase in BUSY and new.phase is not old.phase:
            if new.phase is Phase.PUBLISHING:
                yield Publish(row=new.number, landed=new)
            else:
                limit = after.limits.wall_ms
                left = None if limit is None else max(limit - after.elapsed_ms, 0)
                yield Work(row=new.number, grant=new.grant or Spending(), left_ms=left)


def _row(state: CampaignState, number: int, phase: Phase) -> Row:
    row = state.rows[number] if number < len(state.rows) else None
    if row is None or row.phase is not phase:
        raise AssertionError(f"BUG: row {number} of a campaign answered and was not {phase.value}")
    return row


def _passed(state: CampaignState, ms: int) -> CampaignState:
    return replace(state, elapsed_ms=max(state.elapsed_ms, state.earlier_ms + ms))


def _exchanged(state: CampaignState, row: Row) -> CampaignState:
    return replace(state, rows=(*state.rows[: row.number], row, *state.rows[row.number + 1 :]))
