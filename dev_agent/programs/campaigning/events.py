"""What happens to a campaign, as values, and how it stands in a trace.

A trace may have been touched by anybody, so reading checks every field; what does not fit is refused, never guessed.
`ms` is how long the process had driven the campaign when it happened: deciding reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.campaigning.model import Fate
from dev_agent.programs.checked import count, event_of, flag, text
from dev_agent.programs.cost import Cost
from dev_agent.programs.spending import Spending
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The campaign begins, with repositories of these names; only those in `chosen` may begin in this use."""

    names: tuple[str, ...]
    chosen: tuple[int, ...]
    jobs: int
    limits: Spending
    publish: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The child of a row ended; `cost` None: it did not say what it used."""

    row: int
    fate: Fate
    ms: int
    why: str = ""
    place: str = ""
    run: str = ""
    branch: str = ""
    base: str = ""
    commit: str = ""
    cost: Cost | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Publishing a row ended: PUBLISHED with the address of its pull request, or why it is not."""

    row: int
    fate: Fate
    ms: int
    why: str = ""
    pull: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restarted:
    """A process takes the campaign up again, perhaps with other limits. `retry`: what did not end well begins anew."""

    chosen: tuple[int, ...]
    jobs: int
    limits: Spending
    publish: bool
    retry: bool


Event = Opened | Ended | Told | Restarted

_KINDS: dict[str, type[Event]] = {"opened": Opened, "ended": Ended, "told": Told, "restarted": Restarted}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(event: Event) -> dict[str, Any]:
    """The event as an object for a trace."""
    return {
        "event": _NAMES[type(event)],
        **{one.name: _plain(getattr(event, one.name)) for one in fields(event)},
    }


def from_json(data: Mapping[str, Any]) -> Event:
    """The event an object stands for. Raises EnvironmentFault if it stands for none."""
    event = event_of(data, _KINDS, _value)
    if event is None:
        raise _unreadable(data)
    return event


def _plain(value: object) -> object:
    if isinstance(value, Spending):
        return value.to_json()
    if isinstance(value, Cost):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value


def _value(name: str, value: Any) -> Any:
    if name == "limits":
        return Spending(**{field: count(number) for field, number in dict(value).items()})
    if name == "cost":
        return (
            None if value is None else Cost(**{field: count(number) for field, number in dict(value).items()})
        )
    if name == "fate":
        return Fate(text(value))
    if name == "names":
        return tuple(text(one) for one in value)
    if name == "chosen":
        return tuple(count(one) for one in value)
    if name in {"publish", "retry"}:
        return flag(value)
    return count(value) if name in {"row", "jobs", "ms"} else text(value)


def _unreadable(data: Mapping[str, Any]) -> EnvironmentFault:
    return EnvironmentFault(
        f"the campaign's trace holds an event that is none of a campaign: {str(data.get('event'))[:40]!r}",
        hint="it was changed, or written by another version; nothing is begun from it",
    )
