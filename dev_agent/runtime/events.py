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
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, cast

from dev_agent.runtime.blobs import COMMITMENT
from dev_agent.runtime.canonical import (
    MAX_INTEGER,
    Json,
    canonical,
    encode,
    frozen_and_written,
    frozen_in_order,
    read_json,
    require_spelling,
)
from dev_agent.runtime.errors import NotCanonical
from dev_agent.values import dataclass

VERSION = 1
DOMAIN = b"dev-agent/trace/v1\0"
MAX_LINE = 8 * 2**20
NEWER = "use a newer dev-agent"
FOREIGN = "name a run of dev-agent"
RUN_STARTED = "run-started"
RECOVERED = "recovered"
ERASED = "erased"
ACTORS = frozenset({"agent", "user", "tool", "model"})

_KEYS = frozenset({"v", "run", "seq", "prev", "type", "at", "actor", "data", "blobs", "hash"})
_BLOB_KEYS = frozenset({"role", "len", "commit"})
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z", re.ASCII)
# A process writes events of few runs and types, and asks about each of them for every event.
_is_run = lru_cache(maxsize=64)(_RUN.match)
_is_type = lru_cache(maxsize=64)(_TYPE.match)
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


class Event(NamedTuple):
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
    for key, value, fits in (
        ("run", run, _is_run),
        ("prev", prev, COMMITMENT.match),
        ("type", type, _is_type),
        ("at", at, _AT.match),
    ):
        if not fits(value):
            raise NotCanonical(f"{key} is not well formed: {value[:60]!r}")
    frozen, text = frozen_and_written(data)
    listed = encode([_checked_blob(blob).to_json() for blob in blobs]).decode() if blobs else "[]"
    before = f'{{"actor":"{_actor(actor)}","at":"{at}","blobs":{listed},"data":{text}'.encode()
    after = _after(prev, run, seq, type)
    digest = _hash_of(before, after)
    line = b'%b,"hash":"%b",%b\n' % (before, digest.encode(), after)
    if len(line) > MAX_LINE:
        raise NotCanonical(f"an event of {len(line) - 1} bytes is too long", "put the payload into a blob")
    return Event(VERSION, run, seq, prev, type, at, actor, frozen, tuple(blobs), digest), line


def _checked_blob(blob: BlobRef) -> BlobRef:
    """The reference, if a reader would take it. Raises NotCanonical."""
    return _blob(blob.to_json())


def parse_line(line: bytes) -> Event:
    """Parse one line (without its newline). Raises NotCanonical with the reason; the hash is checked too."""
    if len(line) >= MAX_LINE:
        raise NotCanonical(f"the line is longer than {MAX_LINE} bytes")
    value = read_json(line)
    require_spelling(value, line)
    if type(value) is not dict:
        raise NotCanonical("not an object")
    if value.get("v") != VERSION or value.get("v") is True:
        raise _unreadable(value.get("v"))
    if value.keys() != _KEYS:
        odd = ", ".join(sorted(value.keys() ^ _KEYS))[:200]
        raise NotCanonical(f"missing or unknown fields: {odd}")
    event = _event(value)
    # The line is canonical, so its keys are sorted: what the hash is over stands in it around the hash.
    after = _after(event.prev, event.run, event.seq, event.type)
    if event.hash != _hash_of(line[: -len(after) - _HASH_LENGTH], after):
        raise NotCanonical("the event's hash is not the hash of its content")
    return event


def _unreadable(version: Json) -> NotCanonical:
    if version is None:
        return NotCanonical("no format version: this is no trace of dev-agent", FOREIGN)
    return NotCanonical(f"format version {str(version)[:20]}; this reader knows {VERSION}", NEWER)


_HASH_LENGTH = len(',"hash":"",') + 64


def _after(prev: str, run: str, seq: int, type: str) -> bytes:  # noqa: A002 - the field's name
    """Return what stands after the hash in the event's line: no value in it can need an escape."""
    return f'"prev":"{prev}","run":"{run}","seq":{seq},"type":"{type}","v":{VERSION}}}'.encode()


def _hash_of(before: bytes, after: bytes) -> str:
    return sha256(b"%b%b,%b" % (DOMAIN, before, after)).hexdigest()


def _event(body: Mapping[str, Json]) -> Event:
    data, blobs = body["data"], body["blobs"]
    if type(data) is not dict:
        raise NotCanonical("data is not an object", "pass a dict")
    if type(blobs) is not list:
        raise NotCanonical("blobs is not a list")
    return Event(
        v=VERSION,
        run=_text(body, "run", _RUN),
        seq=_count(body, "seq"),
        prev=_text(body, "prev", COMMITMENT),
        type=_text(body, "type", _TYPE),
        at=_text(body, "at", _AT),
        actor=_actor(body["actor"]),
        data=cast("Mapping[str, Json]", frozen_in_order(data)),
        blobs=tuple([_blob(blob) for blob in blobs]),
        hash=_text(body, "hash", COMMITMENT),
    )


def _count(body: Mapping[str, Json], key: str) -> int:
    value = body[key]
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise NotCanonical(f"{key} is not a count")
    return value


def _text(body: Mapping[str, Json], key: str, pattern: re.Pattern[str]) -> str:
    value = body[key]
    if type(value) is not str or not pattern.match(value):
        raise NotCanonical(f"{key} is not well formed: {str(value)[:60]!r}")
    return value


def _actor(value: Json) -> str:
    if not isinstance(value, str) or value not in ACTORS:
        raise NotCanonical(f"unknown actor {str(value)[:60]!r}", f"use one of {', '.join(sorted(ACTORS))}")
    return value


def _blob(value: Json) -> BlobRef:
    if type(value) is not dict or value.keys() != _BLOB_KEYS:
        raise NotCanonical("a blob is not {role, len, commit}")
    return BlobRef(
        role=_text(value, "role", _ROLE),
        length=_count(value, "len"),
        commitment=_text(value, "commit", COMMITMENT),
    )


def require_recordable(type: str, data: Mapping[str, Json], actor: str, blobs: Mapping[str, bytes]) -> None:  # noqa: A002 - the field's name
    """Check that an event of this content, its data frozen, can be appended. Raises NotCanonical.

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
    if len(encode(data)) > MAX_LINE // 2:
        raise NotCanonical(f"more than {MAX_LINE // 2} bytes of data", "put the payload into a blob")
