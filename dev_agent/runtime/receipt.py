"""Receipts: Receipt = f(Trace), in the forms others can check.

A receipt is an in-toto Statement v1 (https://in-toto.io/Statement/v1) in canonical bytes. Signed, it travels
in a DSSE envelope (https://github.com/secure-systems-lab/dsse): the signature covers PAE(type, bytes), so
canonical form matters for recomputing a receipt, not for its signature.

`summary` folds what any program's trace says: the path, what was refused on the way, costs, and the head at
that moment. Pure: no clock, environment, network, file or model. Same events, same bytes.

Leaves to others: what a predicate means for a program, and making or checking signatures.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import cast

from dev_agent.runtime.canonical import Json, canonical, thaw
from dev_agent.runtime.errors import ReceiptMalformed
from dev_agent.runtime.events import Event
from dev_agent.runtime.fold import BRANCH_LEFT, EXCEEDED, INTERRUPTED, LEFT, RETRIED
from dev_agent.runtime.states import ERROR
from dev_agent.values import dataclass

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature of an envelope: the raw bytes, and a hint whose key it is."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A DSSE envelope: a payload of exact bytes, its type, and signatures over `pae` of both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form, bytes in base64."""
        return {
            "payloadType": self.payload_type,
            "payload": _encoded(self.payload),
            "signatures": [{"keyid": one.keyid, "sig": _encoded(one.sig)} for one in self.signatures],
        }

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the JSON form."""
        return canonical(self.to_json())

    @classmethod
    def from_bytes(cls, data: bytes) -> Envelope:
        """Read an envelope somebody made; unknown fields are ignored. Raises ReceiptMalformed."""
        try:
            return cls._from_json(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ReceiptMalformed(f"not a DSSE envelope: {error}", "pass an unchanged receipt") from None

    @classmethod
    def _from_json(cls, value: Mapping[str, object]) -> Envelope:
        return cls(
            payload_type=_text(value["payloadType"]),
            payload=_decoded(value["payload"]),
            signatures=tuple(
                Signature(keyid=_text(one.get("keyid", "")), sig=_decoded(one["sig"]))
                for one in cast("list[Mapping[str, object]]", value["signatures"])
            ),
        )


def statement(
    subject: Sequence[Mapping[str, Json]], predicate_type: str, predicate: Mapping[str, Json]
) -> dict[str, Json]:
    """Return an in-toto Statement v1; every subject is `{"name", "digest": {algorithm: hex}}`.

    Raises ReceiptMalformed, NotCanonical.
    """
    for one in subject:
        if not isinstance(one.get("name"), str) or not one.get("digest"):
            raise ReceiptMalformed("a subject needs a name and a digest", "name what the receipt is about")
    made = {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return cast("dict[str, Json]", thaw(made))


def receipt_bytes(made: Mapping[str, Json]) -> bytes:
    """Return the bytes of a receipt, the ones that are signed, compared and hashed. Raises NotCanonical."""
    return canonical(made)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: what a signature over the payload is made over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def path(events: Sequence[Event]) -> list[Json]:
    """Return the transitions taken, in order: `{event, state, outcome, next, ms}`; budgets that moved too."""
    taken: list[Json] = []
    for event in events:
        if event.type == LEFT:
            kept = {key: event.data[key] for key in ("state", "outcome", "next", "ms")}
            taken.append({"event": event.seq, **kept})
        elif event.type == EXCEEDED:
            outcome = f"budget_{event.data['budget']}"
            kept = {"state": event.data["state"], "outcome": outcome, "next": event.data["next"], "ms": 0}
            taken.append({"event": event.seq, **kept})
    return taken


def rejected(events: Sequence[Event]) -> list[Json]:
    """Return every attempt that was refused: `{event, state, branch, reason}`, `branch` "" outside forks.

    `reason` is the type of the error (an exception's name, WrongOutcome, Timeout …) or budget_<which>; its
    message stays in the trace, since it may quote what nobody meant to publish.
    """
    found: list[Json] = []
    for event in events:
        reason = _refusal(event)
        if reason:
            where = {"state": event.data["state"], "branch": event.data.get("branch", "")}
            found.append({"event": event.seq, **where, "reason": reason})
    return found


def costs(events: Sequence[Event]) -> dict[str, int]:
    """Return what the run spent, failed, repeated and interrupted attempts included."""
    total: dict[str, int] = {}
    for event in events:
        if event.type in (LEFT, RETRIED, INTERRUPTED):
            for key, amount in cast("Mapping[str, int]", event.data["cost"]).items():
                total[key] = total.get(key, 0) + amount
    return dict(sorted(total.items()))


def head(events: Sequence[Event]) -> dict[str, Json]:
    """Return how far the trace went when this was computed: `{"events", "head": {"sha256"}}`."""
    return {"events": len(events), "head": {"sha256": events[-1].hash}}


def summary(events: Sequence[Event]) -> dict[str, Json]:
    """Return all of the above, and the run: a predicate's part that is the same for every program."""
    return {
        "run": events[0].run,
        "binding": thaw(events[0].data["binding"]),
        "path": path(events),
        "rejected": rejected(events),
        "cost": costs(events),
        "trace": head(events),
    }


def _refusal(event: Event) -> Json:
    if event.type == EXCEEDED:
        return f"budget_{event.data['budget']}"
    if event.type not in (LEFT, RETRIED, BRANCH_LEFT) or event.data["outcome"] != ERROR:
        return ""
    if "branches" in event.data:
        return ""  # the branches' own events say what went wrong
    return cast("Mapping[str, Json]", event.data["data"]).get("type", ERROR)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(value: object) -> bytes:
    # DSSE readers accept both alphabets.
    text = _text(value).translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
