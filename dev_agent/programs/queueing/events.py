"""What happens to a queue, as values, and how it stands in a trace.

An event is one object with `event` and the fields of its class. A trace may have been touched by anybody, so reading
checks every field; what does not fit is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.checked import count, event_of, text
from dev_agent.programs.queueing.model import Item, Verdict
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The queue begins at `tip` with these heads, in this order."""

    tip: str
    items: tuple[Item, ...]
    jobs: int
    max_batch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """The commit of a batch was made on `parent` of the heads `included`; "" if none could be.

    `conflicts` are the heads that do not merge there, with the reason; `contained` those it holds already.
    """

    batch: int
    parent: str
    commit: str
    included: tuple[int, ...]
    conflicts: tuple[tuple[int, str], ...] = ()
    contained: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """An attempt ended with a verdict on `commit`, on `parent`; `run` is where its evidence lies."""

    attempt: int
    commit: str
    parent: str
    verdict: Verdict
    reason: str = ""
    run: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """The target went from the batch's parent to its commit."""

    batch: int
    commit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """Somebody else moved the target to `tip`."""

    tip: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Superseded:
    """A head's name means another commit now, or none (`now` is "")."""

    number: int
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """Landing was refused by something that is not about the heads."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Restarted:
    """A process takes the queue up again: whatever the one before had in its hands is void; the target is at `tip`."""

    tip: str


Event = Opened | Composed | Judged | Landed | Moved | Superseded | Blocked | Restarted

_KINDS: dict[str, type[Event]] = {
    "opened": Opened,
    "composed": Composed,
    "judged": Judged,
    "landed": Landed,
    "moved": Moved,
    "superseded": Superseded,
    "blocked": Blocked,
    "restarted": Restarted,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(event: Event) -> dict[str, Any]:
    """The event as an object for a trace."""
    return {"event": _NAMES[type(event)], **_plain(asdict(event))}


def from_json(data: Mapping[str, Any]) -> Event:
    """The event an object stands for. Raises EnvironmentFault if it stands for none."""
    event = event_of(data, _KINDS, _value)
    if event is None:
        raise _unreadable(data)
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


def _value(name: str, value: Any) -> Any:
    if name == "items":
        return tuple(
            Item(number=count(one["number"]), name=text(one["name"]), commit=text(one["commit"]))
            for one in value
        )
    if name == "conflicts":
        return tuple((count(number), text(why)) for number, why in value)
    if name in {"included", "contained"}:
        return tuple(count(number) for number in value)
    if name == "verdict":
        return Verdict(text(value))
    return count(value) if name in _COUNTS else text(value)


_COUNTS = frozenset({"batch", "attempt", "number", "jobs", "max_batch"})


def _unreadable(data: Mapping[str, Any]) -> EnvironmentFault:
    return EnvironmentFault(
        f"the queue's trace holds an event that is none of a queue: {str(data.get('event'))[:40]!r}",
        hint="it was changed, or written by another version; nothing more is landed from it",
    )
