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
    read_json,
    require_spelling,
    text_of,
    thaw,
)
from dev_agent.runtime.errors import NotCanonical
from dev_agent.runtime.written import Written, read_written, written
from dev_agent.values import dataclass

VERSION = 1
DOMAIN = "dev-agent/trace/v1\0"
MAX_LINE = 8 * 2**20
NEWER = "use a newer dev-agent"
FOREIGN = "name a run of dev-agent"
RUN_STARTED = "run-started"
RECOVERED = "recovered"
ERASED = "erased"
ACTORS = frozenset({"agent", "user", "tool", "model"})

_DOMAIN = DOMAIN.encode()
_KEYS = frozenset({"v", "run", "seq", "prev", "type", "at", "actor", "data", "blobs", "hash"})
_BLOB_KEYS = frozenset({"role", "len", "commit"})
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z", re.ASCII)
# A process writes events of few types and many to a millisecond, and asks about each of them for every event.
_is_type = lru_cache(maxsize=64)(_TYPE.match)
_is_time = lru_cache(maxsize=64)(_AT.match)
_ROLE = re.compile(r"[a-z][a-z0-9_.-]{0,63}\Z")
_OPENING = re.compile(
    rb'\{"actor":"(%b)","at":"(%b)","blobs":\[\],"data":'
    % ("|".join(sorted(ACTORS)).encode(), _AT.pattern.removesuffix(r"\Z").encode().replace(b"(", b"(?:"))
)
_TAIL = re.compile(rb'(%b)","v":%d\}\Z' % (_TYPE.pattern.removesuffix(r"\Z").encode(), VERSION))
_END = f'"v":{VERSION}}}'
_HASH_MARKED = len(',"hash":"') + 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
    """A payload of an event: what it is for, its length in bytes, and its commitment (see `blobs`)."""

    role: str
    length: int
    commitment: str

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form: `{"role", "len", "commit"}`."""
        return {"role": self.role, "len": self.length, "commit": self.commitment}


class _Fields(NamedTuple):
    v: int
    run: str
    seq: int
    prev: str
    type: str
    at: str
    actor: str
    content: Written
    blobs: tuple[BlobRef, ...]
    hash: str


class Event(_Fields):
    """One line of a trace. `content` is its data as written; `at` is an input, recorded and never recomputed."""

    __slots__ = ()

    @property
    def data(self) -> Mapping[str, Json]:
        """The data, deeply frozen; made when it is first asked for."""
        return self.content.frozen

    def blob(self, role: str) -> BlobRef | None:
        """Return the first blob of that role, if any."""
        return next((blob for blob in self.blobs if blob.role == role), None)

    def to_json(self) -> dict[str, Json]:
        """Return what the event's line says, by field, as values of one's own."""
        return {
            "v": self.v,
            "run": self.run,
            "seq": self.seq,
            "prev": self.prev,
            "type": self.type,
            "at": self.at,
            "actor": self.actor,
            "data": thaw(self.data),
            "blobs": [blob.to_json() for blob in self.blobs],
            "hash": self.hash,
        }


def genesis(run: str, binding: Mapping[str, str]) -> str:
    """Return the `prev` of a run's first event. Raises NotCanonical."""
    return sha256(_DOMAIN + canonical({"run": run, "binding": binding})).hexdigest()


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
    if not (_RUN.match(run) and COMMITMENT.match(prev)):
        raise _malformed(run=run, prev=prev, type=type, at=at)
    return next_event(run, seq, prev, type, at, actor, data, blobs)


def next_event(
    run: str,
    seq: int,
    prev: str,
    type: str,  # noqa: A002 - the field's name
    at: str,
    actor: str,
    data: object,
    blobs: Sequence[BlobRef],
) -> tuple[Event, bytes]:
    """As `new_event`, for a `run` and a `prev` that are those of an event; every event of a journal is made here."""
    if not (_is_type(type) and _is_time(at)):
        raise _malformed(run=run, prev=prev, type=type, at=at)
    content = data if isinstance(data, Written) else written(data)
    listed = encode([_checked_blob(blob).to_json() for blob in blobs]).decode() if blobs else "[]"
    known = actor if actor in ACTORS else _actor(actor)
    before = f'{{"actor":"{known}","at":"{at}","blobs":{listed},"data":{content.text}'
    # As `_after` has it, without the call.
    after = f'"prev":"{prev}","run":"{run}","seq":{seq},"type":"{type}",{_END}'
    digest = sha256(f"{DOMAIN}{before},{after}".encode()).hexdigest()
    line = f'{before},"hash":"{digest}",{after}\n'.encode()
    if len(line) > MAX_LINE:
        raise NotCanonical(f"an event of {len(line) - 1} bytes is too long", "put the payload into a blob")
    return tuple.__new__(
        Event, (VERSION, run, seq, prev, type, at, actor, content, tuple(blobs), digest)
    ), line


def _malformed(*, run: str, prev: str, type: str, at: str) -> NotCanonical:  # noqa: A002 - the field's name
    patterns = (("run", run, _RUN), ("prev", prev, COMMITMENT), ("type", type, _TYPE), ("at", at, _AT))
    key, value = next((key, value) for key, value, pattern in patterns if not pattern.match(value))
    return NotCanonical(f"{key} is not well formed: {value[:60]!r}")


def _checked_blob(blob: BlobRef) -> BlobRef:
    """The reference, if a reader would take it. Raises NotCanonical."""
    return _blob(blob.to_json())


def following(line: bytes, previous: Event) -> Event | None:
    """Return the event of a line that plainly follows `previous`; None if `parse_line` has to decide.

    Most lines of a whole trace are of one form: no payloads, plain ASCII, bound to the line before. Such a line is
    compared with what it has to be around its time, type and data, and its data with how they are written. Nothing
    passes here that `parse_line` and the check of the link would refuse.
    """
    opening = _OPENING.match(line)
    if opening is None or len(line) >= MAX_LINE or previous.seq >= MAX_INTEGER:
        return None
    seq = previous.seq + 1
    link = f'","prev":"{previous.hash}","run":"{previous.run}","seq":{seq},"type":"'.encode()
    head, _, tail = line.rpartition(link)
    before, mark, digest = head[:-_HASH_MARKED], head[-_HASH_MARKED:-64], head[-64:].decode("latin-1")
    type_ = _type_before_end(tail)
    if mark != b',"hash":"' or not type_ or type_ == RUN_STARTED:
        return None
    if sha256(b"%b%b,%b%b" % (_DOMAIN, before, link[2:], tail)).hexdigest() != digest:
        return None
    content = read_written(before[opening.end() :].decode("latin-1"))
    if content is None:
        return None
    actor, at = opening.groups()
    return Event(
        VERSION, previous.run, seq, previous.hash, type_, at.decode(), actor.decode(), content, (), digest
    )


@lru_cache(maxsize=64)
def _type_before_end(tail: bytes) -> str:
    """The type in what stands after `"type":"` in a line, "" if that is not the end of one."""
    found = _TAIL.match(tail)
    return found[1].decode() if found else ""


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
    after = _after(event.prev, event.run, event.seq, event.type).encode()
    before = line[: -len(after) - len(b",") - _HASH_MARKED - len(b'"')]
    if event.hash != sha256(b"%b%b,%b" % (_DOMAIN, before, after)).hexdigest():
        raise NotCanonical("the event's hash is not the hash of its content")
    return event


def _unreadable(version: Json) -> NotCanonical:
    if version is None:
        return NotCanonical("no format version: this is no trace of dev-agent", FOREIGN)
    return NotCanonical(f"format version {str(version)[:20]}; this reader knows {VERSION}", NEWER)


def _after(prev: str, run: str, seq: int, type: str) -> str:  # noqa: A002 - the field's name
    """Return what stands after the hash in the event's line: no value in it can need an escape."""
    return f'"prev":"{prev}","run":"{run}","seq":{seq},"type":"{type}",{_END}'


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
        content=_content(data),
        blobs=tuple([_blob(blob) for blob in blobs]),
        hash=_text(body, "hash", COMMITMENT),
    )


def _content(data: dict[str, Json]) -> Written:
    return Written(text_of(data), cast("dict[str, Json]", thaw(data)))


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


def require_recordable(type: str, data: Written, actor: str, blobs: Mapping[str, bytes]) -> None:  # noqa: A002 - the field's name
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
    if data.size > MAX_LINE // 2:
        raise NotCanonical(f"more than {MAX_LINE // 2} bytes of data", "put the payload into a blob")
