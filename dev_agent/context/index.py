"""The index: entries of blobs in segments, made for what is missing, remembered by content.

`<folder>/<first two digits>/<sha256>.segment`, one file a segment, named by what is in it. Killed at any line there is
a whole segment more or none, at worst a temporary file that the next collection of the cache removes. A segment that is
damaged, or was dropped by somebody else, is missing: its blobs are read again. What is asked gives the same answer
however the segments lie.

Small segments (a change each) are made one when there are many, and a segment most of whose blobs no one asks for any
more is dropped; the blobs still wanted are read again, which costs no more than what was small or mostly dead.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from dev_agent.context.entry import LARGEST, Entry, entry_of, key_of
from dev_agent.context.kinds import PATH_ONLY, kind_of
from dev_agent.context.model import Outline, Source
from dev_agent.context.segment import Damaged, Segment, open_segment, segment_bytes, segment_in_memory

T = TypeVar("T")

BATCH = 1000
"""Blobs a segment at most: what a kill can lose, and what is in memory at a time."""

_BATCH_BYTES = 64 << 20
_SMALL, _MANY_SMALL = 200, 8
_LEAST_ALIVE = 0.25
_REGULAR = "100"


class Index:
    """The entries of the files of one base commit, ready for questions."""

    def __init__(self, paths: Mapping[str, str], segments: Sequence[Segment]) -> None:
        self._paths_by_key: dict[str, list[str]] = defaultdict(list)
        for path, key in paths.items():
            self._paths_by_key[key].append(path)
        self._home: dict[str, tuple[Segment, int]] = {}
        self.lengths: dict[str, int] = {}
        for segment in segments:
            for number, key in enumerate(segment.keys):
                if key in self._paths_by_key and key not in self._home:
                    self._home[key] = (segment, number)
                    for path in self._paths_by_key[key]:
                        self.lengths[path] = segment.lengths[number]
        self._keys = paths
        self._segments = [
            segment for segment in segments if any(home[0] is segment for home in self._home.values())
        ]

    def occurrences(self, term: str) -> dict[str, int]:
        """Path → how often the prefixed term occurs there. Raises Damaged."""
        found: dict[str, int] = {}
        for segment in self._segments:
            row = segment.postings(term)
            for number, times in zip(row[::2], row[1::2], strict=True):
                key = segment.keys[number]
                if self._home.get(key) == (segment, number):
                    for path in self._paths_by_key[key]:
                        found[path] = times
        return found

    def outline(self, path: str) -> Outline:
        """The outline of a file; empty for one known by name only. Raises Damaged."""
        segment, number = self._home.get(self._keys.get(path, ""), (None, 0))
        return segment.outline(number) if segment else Outline()


class IndexFolder:
    """Where segments lie. None: nothing is remembered."""

    def __init__(
        self, folder: Path | None, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> None:
        self._folder = folder
        self._progress = progress

    def asked(self, source: Source, question: Callable[[Index], T]) -> T:
        """The answer to a question about the files of `source`, on an index that holds all that can be read."""
        files = source.files()
        wanted = {
            path: key_of(path, object_id)
            for path, (mode, object_id) in files.items()
            if mode.startswith(_REGULAR) and kind_of(path) not in PATH_ONLY
        }
        for _ in range(2):
            segments = self._kept(set(wanted.values()))
            known = {key for segment in segments for key in segment.keys}
            missing = {key: path for path, key in reversed(wanted.items()) if key not in known}
            segments += self._made(source, missing, files)
            try:
                return question(Index(wanted, segments))
            except Damaged:
                self._drop_damaged(segments)
        everything = {key: path for path, key in reversed(wanted.items())}
        return question(Index(wanted, list(IndexFolder(None)._made(source, everything, files))))  # noqa: SLF001 - ours

    def _kept(self, wanted: set[str]) -> list[Segment]:
        """The segments worth keeping; the others are dropped."""
        found = []
        for path in self._files():
            try:
                segment = open_segment(path)
            except Damaged:
                _unlink(path)
                continue
            except OSError:
                continue
            found.append((path, segment))
        small = [path for path, segment in found if len(segment.keys) < _SMALL]
        useless = set(small) if len(small) > _MANY_SMALL else set()
        useless |= (
            {path for path, one in found if len(wanted.intersection(one.keys)) < _LEAST_ALIVE * len(one.keys)}
            if len(found) > _MANY_SMALL
            else set()
        )
        for path in useless:
            _unlink(path)
        kept = [(path, segment) for path, segment in found if path not in useless]
        for path, _ in kept:
            with suppress(OSError):  # used now: what was not for longest is dropped first
                os.utime(path)
        return [segment for _, segment in kept]

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("??/*.segment")) if self._folder else []

    def _made(
        self, source: Source, missing: Mapping[str, str], files: Mapping[str, tuple[str, str]]
    ) -> Iterable[Segment]:
        made = []
        done = 0
        for batch in _batches(source, missing, files):
            made.append(self._remember(segment_bytes(batch)))
            done += len(batch)
            self._progress(done, len(missing))
        return made

    def _remember(self, data: bytes) -> Segment:
        if self._folder is None:
            return segment_in_memory(data)
        name = hashlib.sha256(data).hexdigest()
        path = self._folder / name[:2] / f"{name}.segment"
        temporary = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(temporary).replace(path)
        except OSError:
            # A full disk or a folder of somebody else's: the answer is the same, the next one costs as much.
            if temporary:
                _unlink(Path(temporary))
        return segment_in_memory(data)

    def _drop_damaged(self, segments: Sequence[Segment]) -> None:
        names = {segment.name: segment for segment in segments}
        for path in self._files():
            try:
                if path.name in names:
                    names[path.name].check()
            except Damaged:
                _unlink(path)


def _batches(
    source: Source, missing: Mapping[str, str], files: Mapping[str, tuple[str, str]]
) -> Iterator[list[Entry]]:
    """The entries of the missing blobs, `BATCH` at a time, in the order of their keys."""
    sizes = source.sizes({files[path][1] for path in missing.values()}) if missing else {}
    batch: list[tuple[str, str, str]] = []
    held = 0
    for key, path in sorted(missing.items()):
        object_id = files[path][1]
        size = sizes.get(object_id, LARGEST + 1)
        batch.append((key, path, object_id if size <= LARGEST else ""))
        held += size if size <= LARGEST else 0
        if len(batch) >= BATCH or held >= _BATCH_BYTES:
            yield _entries(source, batch)
            batch, held = [], 0
    if batch:
        yield _entries(source, batch)


def _entries(source: Source, batch: Sequence[tuple[str, str, str]]) -> list[Entry]:
    found = source.read_many({object_id for _, _, object_id in batch if object_id})
    return [entry_of(key, path, found.get(object_id)) for key, path, object_id in batch]


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
