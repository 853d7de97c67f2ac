"""One event of a trace, its bytes and its hash. Pure: bytes in, event out.

    {"actor":"agent","at":"2026-…Z","blobs":[{"commit":"<c>","len":n,"role":"stdout"}],"data":{…},
     "hash":"…","prev":"<hash of the line before>","run":"…","seq":n,"type":"…","v":1}

`hash = SHA256("dev-agent/trace/v1\\0" || JCS(event without hash))`. The first event is `run-started`; its
`prev` is SHA256(domain || JCS({"binding": …, "run": …})), so the chain starts from what the run was bound to.
A line must be exactly the canonical bytes of its event: there is one spelling, and every other is damage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from dev_agent.runtime.blobs import COMMITMENT
from dev_agent.runtime.canonical import Json, canonical, encode, frozen_object, parse_canonical, thaw
from dev_agent.runtime.errors import NotCanonical

VERSION = 1
DOMAIN = b"dev-agent/trace/v1\0"
MAX_LINE = 8 * 2**20
RUN_STARTED = "run-started"
RECOVERED = "recovered"
ERASED = "erased"
ACTORS = frozenset({"agent", "user", "tool", "model"})

_KEYS = frozenset({"v", "run", "seq", "prev", "type", "at", "actor", "data", "blobs", "hash"})
_BLOB_KEYS = frozenset({"role", "len", "commit"})
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z", re.ASCII)
_ROLE = re.compile(r"[a-z][a-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
    """A payload of an event: what it is for, its length in bytes, and its commitment (see `blobs`)."""

    role: str
    length: int
    commitment: str

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form: `{"role", "len", "commit"}`."""
        return {"role": self.role, "len": self.length, "commit": self.commitment}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a trace. `data` is deeply frozen; `at` is an input, recorded and never recomputed."""

    v: int
    run: str
    seq: int
    prev: str
    type: str
    at: str
    actor: str
    data: Mapping[str, Json]
    blobs: tuple[BlobRef, ...]
    hash: str

    def blob(self, role: str) -> BlobRef | None:
        """Return the first blob of that role, if any."""
        return next((blob for blob in self.blobs if blob.role == role), None)


def genesis(run: str, binding: Mapping[str, str]) -> str:
    """Return the `prev` of a run's first event. Raises NotCanonical."""
    return sha256(DOMAIN + canonical({"run": run, "binding": binding})).hexdigest()


def new_event(
    *,
    run: str,
    seq: int,
    prev: str,
    type: str,  # noqa: A002 - the field's name
    at: str,
    actor: str,
    data: object,
    blobs: Sequence[BlobRef],
) -> tuple[Event, bytes]:
    """Make an event and its line, newline included. Raises NotCanonical for what a reader would refuse."""
    body: dict[str, Json] = {
        "v": VERSION,
        "run": run,
        "seq": seq,
        "prev": prev,
        "type": type,
        "at": at,
        "actor": actor,
        "data": thaw(data),
        "blobs": [blob.to_json() for blob in blobs],
    }
    before, after = _halves(body)
    digest = _hash_of(before, after)
    body["hash"] = digest
    line = b'%b,"hash":"%b",%b' % (before, digest.encode(), after)
    if len(line) >= MAX_LINE:
        raise NotCanonical(f"an event of {len(line)} bytes is too long", "put the payload into a blob")
    return _event(body), line + b"\n"


def parse_line(line: bytes) -> Event:
    """Parse one line (without its newline). Raises NotCanonical with the reason; the hash is checked too."""
    if len(line) >= MAX_LINE:
        raise NotCanonical(f"the line is longer than {MAX_LINE} bytes")
    value = parse_canonical(line)
    if not isinstance(value, dict):
        raise NotCanonical("not an object")
    if value.get("v") != VERSION or value.get("v") is True:
        raise NotCanonical(
            f"format version {str(value.get('v'))[:20]}; this reader knows {VERSION}", "use a newer dev-agent"
        )
    if value.keys() != _KEYS:
        odd = ", ".join(sorted(value.keys() ^ _KEYS))[:200]
        raise NotCanonical(f"missing or unknown fields: {odd}")
    event = _event(value)
    if event.hash != _hash_of(*_halves(value)):
        raise NotCanonical("the event's hash is not the hash of its content")
    return event


def _halves(body: Mapping[str, Json]) -> tuple[bytes, bytes]:
    """Return what stands before and after the hash in the line: keys are sorted, so each half is encoded once."""
    before = encode({key: body[key] for key in ("actor", "at", "blobs", "data")})
    after = encode({key: body[key] for key in ("prev", "run", "seq", "type", "v")})
    return before[:-1], after[1:]


def _hash_of(before: bytes, after: bytes) -> str:
    return sha256(b"%b%b,%b" % (DOMAIN, before, after)).hexdigest()


def _event(body: Mapping[str, Json]) -> Event:
    seq = body["seq"]
    if type(seq) is not int or seq < 0:
        raise NotCanonical("seq is not a count")
    data = body["data"]
    if not isinstance(data, dict):
        raise NotCanonical("data is not an object", "pass a dict")
    blobs = body["blobs"]
    if not isinstance(blobs, list):
        raise NotCanonical("blobs is not a list")
    return Event(
        v=VERSION,
        run=_text(body, "run", _RUN),
        seq=seq,
        prev=_text(body, "prev", COMMITMENT),
        type=_text(body, "type", _TYPE),
        at=_text(body, "at", _AT),
        actor=_actor(body["actor"]),
        data=frozen_object(data),
        blobs=tuple(_blob(blob) for blob in blobs),
        hash=_text(body, "hash", COMMITMENT),
    )


def _text(body: Mapping[str, Json], key: str, pattern: re.Pattern[str]) -> str:
    value = body[key]
    if not isinstance(value, str) or not pattern.match(value):
        raise NotCanonical(f"{key} is not well formed: {str(value)[:60]!r}")
    return value


def _actor(value: Json) -> str:
    if not isinstance(value, str) or value not in ACTORS:
        raise NotCanonical(f"unknown actor {str(value)[:60]!r}", f"use one of {', '.join(sorted(ACTORS))}")
    return value


def _blob(value: Json) -> BlobRef:
    if not isinstance(value, dict) or value.keys() != _BLOB_KEYS:
        raise NotCanonical("a blob is not {role, len, commit}")
    length = value["len"]
    if type(length) is not int or length < 0:
        raise NotCanonical("a blob's len is not a count")
    return BlobRef(
        role=_text(value, "role", _ROLE),
        length=length,
        commitment=_text(value, "commit", COMMITMENT),
    )


def require_recordable(type: str, data: object, actor: str, blobs: Mapping[str, bytes]) -> None:  # noqa: A002 - the field's name
    """Check that an event of this content can be appended. Raises NotCanonical.

    Its room is half a line, so that what surrounds the data always fits.
    """
    if not _TYPE.match(type):
        raise NotCanonical(f"type is not well formed: {type[:60]!r}", "use lower-case words joined by -")
    _actor(actor)
    for role, payload in blobs.items():
        if not _ROLE.match(role):
            raise NotCanonical(f"role is not well formed: {role[:60]!r}", "use lower-case words")
        if not isinstance(payload, bytes):
            raise NotCanonical(f"blob {role} is not bytes", "encode it first")
    if len(encode(thaw(data))) > MAX_LINE // 2:
        raise NotCanonical(f"more than {MAX_LINE // 2} bytes of data", "put the payload into a blob")
