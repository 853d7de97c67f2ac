"""A segment: the entries of many blobs in one immutable file, so that a question reads only what it asks for.

    dev-agent-context 1 <sha256 of the header> <its length> LF
    header: JSON {"docs": [[key, length, offset, size, crc]…], "buckets": [[offset, size, crc]…]}
    body: an outline a blob, then the buckets: JSON {term: [number of blob, count, number, count, …]}

A term lies in the bucket `crc32(term) % number of buckets`. Every part is checked when it is read: `Damaged` says that
the segment is not to be believed, and its owner throws it away. Offsets count from the end of the header.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from dev_agent.context.entry import Entry
from dev_agent.context.model import Outline, Symbol

_MAGIC = b"dev-agent-context 1"
_LONGEST_TITLE = 200
_BLOBS_A_BUCKET = 2


class Damaged(Exception):
    """A segment is not what was written."""


Read = Callable[[int, int], bytes]
"""Bytes of a file: how many, from where."""


class Segment:
    """One segment, open for questions. `keys` are the blobs in it, in order, `lengths` their body lengths."""

    def __init__(self, read: Read, name: str) -> None:
        self.name = name
        title = read(_LONGEST_TITLE, 0).partition(b"\n")[0]
        try:
            magic, digest, size = title.rsplit(b" ", 2)
            header = read(int(size), len(title) + 1)
        except ValueError as error:
            raise Damaged(name) from error
        if magic != _MAGIC or hashlib.sha256(header).hexdigest().encode() != digest:
            raise Damaged(name)
        known = json.loads(header)
        self._read, self._start = read, len(title) + 1 + len(header)
        self._docs: Sequence[Sequence[Any]] = known["docs"]
        self._buckets: Sequence[Sequence[int]] = known["buckets"]
        self._opened: dict[int, Mapping[str, list[int]]] = {}
        self.keys = [str(doc[0]) for doc in self._docs]
        self.lengths = [int(doc[1]) for doc in self._docs]

    def postings(self, term: str) -> Sequence[int]:
        """Number of a blob, count, number, count, …: where the prefixed term occurs. Raises Damaged."""
        number = _bucket(term, len(self._buckets))
        if number not in self._opened:
            self._opened[number] = json.loads(self._part(*self._buckets[number]))
        return self._opened[number].get(term, ())

    def outline(self, number: int) -> Outline:
        """The outline of a blob. Raises Damaged."""
        _, _, *place = self._docs[number]
        return _outline_from(json.loads(self._part(*place)))

    def check(self) -> None:
        """Read every part. Raises Damaged."""
        for place in [*(doc[2:] for doc in self._docs), *self._buckets]:
            self._part(*place)

    def _part(self, offset: int, size: int, crc: int) -> bytes:
        data = self._read(size, self._start + offset)
        if len(data) != size or crc32(data) != crc:
            raise Damaged(self.name)
        return data


def open_segment(path: Path) -> Segment:
    """The segment in a file, which is read a part at a time. Raises OSError and Damaged."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return Segment(_OpenFile(descriptor).read, path.name)


def segment_in_memory(data: bytes) -> Segment:
    """The same over bytes: for a folder that cannot be written."""
    return Segment(lambda size, start: data[start : start + size], "memory")


def segment_bytes(entries: Sequence[Entry]) -> bytes:
    """The file of these entries; the same entries in the same order give the same bytes."""
    buckets: list[dict[str, list[int]]] = [{} for _ in range(len(entries) // _BLOBS_A_BUCKET + 1)]
    body = bytearray()
    docs = []
    for number, entry in enumerate(entries):
        docs.append([entry.key, entry.length, *_append(body, _outline_json(entry.outline))])
        for term, times in sorted(entry.terms.items()):
            buckets[_bucket(term, len(buckets))].setdefault(term, []).extend((number, times))
    places = [_append(body, bucket) for bucket in buckets]
    header = _json({"docs": docs, "buckets": places})
    title = b"%s %s %d\n" % (_MAGIC, hashlib.sha256(header).hexdigest().encode(), len(header))
    return title + header + body


class _OpenFile:
    """A descriptor that is closed when nobody asks any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int, start: int) -> bytes:
        return os.pread(self._descriptor, size, start)

    def __del__(self) -> None:
        os.close(self._descriptor)


def _append(body: bytearray, value: object) -> list[int]:
    data = _json(value)
    start = len(body)
    body += data
    return [start, len(data), crc32(data)]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _bucket(term: str, count: int) -> int:
    return crc32(term.encode("utf-8", "surrogatepass")) % count


def _outline_json(outline: Outline) -> list[Any]:
    symbols = [[one.line, one.depth, one.text, one.head] for one in outline.symbols]
    return [outline.head, list(outline.imports), symbols]


def _outline_from(known: list[Any]) -> Outline:
    head, imports, symbols = known
    return Outline(
        head=head,
        imports=tuple(imports),
        symbols=tuple(Symbol(line=row[0], depth=row[1], text=row[2], head=row[3]) for row in symbols),
    )
