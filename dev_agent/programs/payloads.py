"""The payloads of a run by names a person can say: `request.task`, `stage.change.patch`, `check.tests.output`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.runtime.events import ERASED
from dev_agent.runtime.fold import BRANCH_LEFT, LEFT, RETRIED
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.runtime.events import Event

_FEWEST_DIGITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """One payload: what it is, in which event, how long, and whether an event says that it was erased."""

    name: str
    event: int
    length: int
    commitment: str
    erased: bool


def payloads_of(events: Sequence[Event]) -> tuple[Payload, ...]:
    """All payloads of a run, in the order of its trace."""
    gone = {str(event.data.get("commit")) for event in events if event.type == ERASED}
    return tuple(
        Payload(
            name=f"{_owner(event)}.{blob.role}",
            event=event.seq,
            length=blob.length,
            commitment=blob.commitment,
            erased=blob.commitment in gone,
        )
        for event in events
        for blob in event.blobs
    )


def chosen(payloads: Sequence[Payload], texts: Iterable[str]) -> tuple[Payload, ...]:
    """The payloads named: by name, by role, or by how a commitment begins. Raises UsageFault for none."""
    found: dict[str, Payload] = {}
    for text in texts:
        fitting = [one for one in payloads if _fits(one, text)]
        if not fitting:
            known = ", ".join(dict.fromkeys(one.name for one in payloads))
            raise UsageFault(f"this run has no payload {text!r}", hint=f"it has: {known or 'none'}")
        found.update({one.commitment: one for one in fitting})
    return tuple(found.values())


def _fits(payload: Payload, text: str) -> bool:
    if text == payload.name or payload.name.endswith(f".{text}"):
        return True
    return len(text) >= _FEWEST_DIGITS and payload.commitment.startswith(text)


def _owner(event: Event) -> str:
    if event.type == BRANCH_LEFT:
        return f"{event.data['state']}.{event.data['branch']}"
    return str(event.data["state"]) if event.type in (LEFT, RETRIED) else event.type
