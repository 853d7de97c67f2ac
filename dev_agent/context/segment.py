"""A segment: the entries of many blobs in one immutable file, so that a question reads only what it asks for.

    dev-agent-context 2 <blobs> <buckets> <size of the keys> <crc of the keys> <crc of this line so far> LF
    keys: JSON [[key, length]…], a blob each, in order
    places: 16 bytes (offset 8, size 4, crc 4, little-endian) of each blob's outline, then of each bucket
    parts: an outline a blob, then the buckets, both JSON; a bucket: {term: [number of blob, count, number, count, …]}

A term lies in the bucket `crc32(term) % number of buckets`. To open a segment is to read its first line; to look a term
up reads one place and one small bucket, however many blobs there are. Every part is checked when it is read: `Damaged`
says that the segment is not to be believed, and its owner throws it away. Offsets count from the end of the places.
"""

from __future__ import annotations

import json
import os
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from dev_agent.context.entry import Entry
from dev_agent.context.model import Outline, Symbol
from dev_agent.context.words import terms
from dev_agent.context.written import WrittenRows, written_rows

_MAGIC = b"dev-agent-context 2"
_LONGEST_TITLE = 120
_PLACE = struct.Struct("<QII")
_BUCKETS_A_BLOB = 8


class Damaged(Exception):
    """A segment is not what was written."""


Read = Callable[[int, int], bytes]
"""Bytes of a file: how many, from where."""


class Segment:
    """One segment, open for questions. Raises Damaged, here and in every question."""

    def __init__(self, read: Read, name: str) -> None:
        self.name = name
        self._read = read
        title = read(_LONGEST_TITLE, 0).partition(b"\n")[0]
        said, _, crc = title.rpartition(b" ")
        magic, _, numbers = said.partition(b" 2 ")
        try:
            blobs, buckets, size, self._keys_crc = (int(number) for number in numbers.split(b" "))
            sound = f"{magic.decode()} 2".encode() == _MAGIC and int(crc) == crc32(said)
        except ValueError as error:
            raise Damaged(name) from error
        if not sound:
            raise Damaged(name)
        self.count, self._buckets, self._keys_size = blobs, buckets, size
        self._keys_at = len(title) + 1
        self._places_at = self._keys_at + size
        self._parts_at = self._places_at + _PLACE.size * (blobs + buckets)
        self._opened: dict[int, Mapping[str, list[int]]] = {}

    def keys(self) -> Sequence[tuple[str, int]]:
        """Key and body length of each blob, in order."""
        data = self._checked(self._read(self._keys_size, self._keys_at), self._keys_size, self._keys_crc)
        return [(str(key), int(length)) for key, length in json.loads(data)]

    def postings(self, term: str) -> Sequence[int]:
        """Number of a blob, count, number, count, …: where the prefixed term occurs."""
        number = _bucket(term, self._buckets)
        if number not in self._opened:
            self._opened[number] = json.loads(self._part(self.count + number))
        return self._opened[number].get(term, ())

    def outline(self, number: int) -> Outline:
        """The outline of a blob."""
        return _outline_from(json.loads(self._part(number)))

    def check(self) -> None:
        """Read every part."""
        self.keys()
        for number in range(self.count + self._buckets):
            self._part(number)

    def _part(self, number: int) -> bytes:
        place = self._read(_PLACE.size, self._places_at + _PLACE.size * number)
        if len(place) != _PLACE.size:
            raise Damaged(self.name)
        offset, size, crc = _PLACE.unpack(place)
        return self._checked(self._read(size, self._parts_at + offset), size, crc)

    def _checked(self, data: bytes, size: int, crc: int) -> bytes:
        if len(data) != size or crc32(data) != crc:
            raise Damaged(self.name)
        return data


def open_segment(path: Path) -> Segment:
    """The segment in a file, which is read a part at a time. Raises OSError and Damaged."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return Segment(_OpenFile(descriptor).read, path.name)


def segment_in_memory(data: bytes, name: str = "memory") -> Segment:
    """The same over bytes: for one that was just made, and for a folder that cannot be written."""
    return Segment(lambda size, start: data[start : start + size], name)


def segment_bytes(entries: Sequence[Entry]) -> bytes:
    """The file of these entries; the same entries in the same order give the same bytes."""
    buckets: list[dict[str, list[int]]] = [{} for _ in range(len(entries) * _BUCKETS_A_BLOB + 1)]
    for number, entry in enumerate(entries):
        for term, times in sorted(entry.terms.items()):
            buckets[_bucket(term, len(buckets))].setdefault(term, []).extend((number, times))
    places, parts = bytearray(), bytearray()
    for part in (*(_outline_json(entry.outline) for entry in entries), *buckets):
        data = _json(part)
        places += _PLACE.pack(len(parts), len(data), crc32(data))
        parts += data
    keys = _json([[entry.key, entry.length] for entry in entries])
    title = b"%s %d %d %d %d" % (_MAGIC, len(entries), len(buckets), len(keys), crc32(keys))
    return b"".join([title, b" %d\n" % crc32(title), keys, places, parts])


class _OpenFile:
    """A descriptor that is closed when nobody asks any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int, start: int) -> bytes:
        return os.pread(self._descriptor, size, start)

    def __del__(self) -> None:
        os.close(self._descriptor)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _bucket(term: str, count: int) -> int:
    return crc32(term.encode("utf-8", "surrogatepass")) % count


def _outline_json(outline: Outline) -> list[Any]:
    symbols = [[one.line, one.depth, one.text, one.head] for one in outline.symbols]
    texts = _numbers_by_term(symbol.text for symbol in outline.symbols)
    heads = _numbers_by_term(symbol.head for symbol in outline.symbols)
    return [outline.head, list(outline.imports), symbols, written_rows(texts), written_rows(heads)]


def _numbers_by_term(texts: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for term in terms(text):
            found[term].append(number)
    return found


def _outline_from(known: list[Any]) -> Outline:
    head, imports, symbols, texts, heads = known
    return Outline(
        head=head,
        imports=tuple(imports),
        symbols=tuple(map(Symbol._make, symbols)),
        texts=WrittenRows(texts),
        heads=WrittenRows(heads),
    )
