"""The index: entries of blobs in segments, made for what is missing, remembered by content; and tables of trees.

`<folder>/<first two digits>/<sha256>.segment`, one file a segment, named by what is in it, and `<tree>.table` beside.
Killed at any line there is a whole file more or none, at worst a temporary file that the next collection of the cache
removes. A segment that is damaged, or was dropped by somebody else, is missing: its blobs are read again. What is asked
gives the same answer however the segments lie.

A tree asked about before costs the reading of its table and of what the question needs. For another one a listing is
made, and the entries of the blobs that no segment has. Then, too, small segments (a change each) are made one when
there are many, and a segment most of whose blobs no one asks for any more is dropped; the blobs still wanted are read
again, which costs no more than what was small or mostly dead.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from dev_agent.context.entry import LARGEST, Entry, entry_of, key_of
from dev_agent.context.index import Index
from dev_agent.context.kept import Kept, publish
from dev_agent.context.kinds import PATH_ONLY, kind_of
from dev_agent.context.model import Source
from dev_agent.context.segment import Damaged, Segment, open_segment, segment_bytes, segment_in_memory
from dev_agent.context.table import table_from, table_of

T = TypeVar("T")

BATCH = 1000
"""Blobs a segment at most: what a kill can lose, and what is in memory at a time."""

_BATCH_BYTES = 64 << 20
_SMALL, _MANY_SMALL = 200, 8
_LEAST_ALIVE = 0.25
_MOST_TABLES = 16
_REGULAR = "100"
_TABLE_FORMAT = "1"

Files = Mapping[str, tuple[str, str]]


class IndexFolder:
    """Where segments and tables lie. None: nothing is remembered."""

    def __init__(
        self, folder: Path | None, progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._tables = Kept(folder)

    def asked(self, source: Source, question: Callable[[Index], T]) -> T:
        """The answer to a question about the files of `source`, on an index that holds all that can be read."""
        for _ in range(2):
            known = self._known(source.name) or self._made_for(source)
            try:
                return question(known)
            except Damaged:
                self._drop_damaged()
        return question(IndexFolder(None)._made_for(source))  # noqa: SLF001 - ours

    def _known(self, name: str) -> Index | None:
        """The index of a tree asked about before, if its table and all its segments are there."""
        data = self._tables.get(_table_name(name))
        if data is None or self._folder is None:
            return None
        table = table_from(data)
        try:
            segments = [open_segment(_segment_path(self._folder, one)) for one in table.segments]
        except (OSError, Damaged):
            return None
        for one in table.segments:
            _touch(_segment_path(self._folder, one))
        return Index(table, segments)

    def _made_for(self, source: Source) -> Index:
        """An index for the tree, with entries for what no segment had. Its table is remembered when they are."""
        files = source.files()
        keys = {
            path: key_of(path, object_id)
            for path, (mode, object_id) in files.items()
            if mode.startswith(_REGULAR) and kind_of(path) not in PATH_ONLY
        }
        kept = self._kept(set(keys.values()))
        there = {key for _, rows in kept for key, _ in rows}
        missing = {key: path for path, key in reversed(keys.items()) if key not in there}
        segments = [*kept, *self._made(source, missing, files)]
        wanted = set(keys.values())
        used = [(one, rows) for one, rows in segments if any(key in wanted for key, _ in rows)]
        table = table_of(files, keys, [(one.name, rows) for one, rows in used])
        self._tables.put(_table_name(source.name), table.to_bytes())
        self._forget_tables()
        return Index(table, [one for one, _ in used])

    def _kept(self, wanted: set[str]) -> list[tuple[Segment, Sequence[tuple[str, int]]]]:
        """The segments worth keeping, with their keys; the others are dropped."""
        found = []
        for path in self._files():
            try:
                segment = open_segment(path)
                found.append((path, segment, segment.keys()))
            except Damaged:
                _unlink(path)
            except OSError:
                continue
        useless = _useless([(path, {key for key, _ in rows}) for path, _, rows in found], wanted)
        for path in useless:
            _unlink(path)
        kept = [(path, segment, rows) for path, segment, rows in found if path not in useless]
        for path, _, _ in kept:
            _touch(path)
        return [(segment, rows) for _, segment, rows in kept]

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("??/*.segment")) if self._folder else []

    def _made(
        self, source: Source, missing: Mapping[str, str], files: Files
    ) -> Iterator[tuple[Segment, Sequence[tuple[str, int]]]]:
        done = 0
        for batch in _batches(source, missing, files):
            segment = self._remember(segment_bytes(batch))
            yield segment, [(entry.key, entry.length) for entry in batch]
            done += len(batch)
            self._progress(done, len(missing))

    def _remember(self, data: bytes) -> Segment:
        name = f"{hashlib.sha256(data).hexdigest()}.segment"
        if self._folder is not None:
            publish(_segment_path(self._folder, name), data)
        return segment_in_memory(data, name)

    def _forget_tables(self) -> None:
        """Drop all tables but those used last."""
        tables = list(self._folder.glob("??/*.table")) if self._folder else []
        if len(tables) > _MOST_TABLES:
            for path in sorted(tables, key=_last_use, reverse=True)[_MOST_TABLES:]:
                _unlink(path)

    def _drop_damaged(self) -> None:
        for path in self._files():
            try:
                open_segment(path).check()
            except Damaged:
                _unlink(path)
            except OSError:
                continue


def _useless(found: Sequence[tuple[Path, set[str]]], wanted: set[str]) -> set[Path]:
    """When there are many: the small segments, which are made one, and those of which little is asked for any more."""
    if len(found) <= _MANY_SMALL:
        return set()
    small = {path for path, keys in found if len(keys) < _SMALL}
    dead = {path for path, keys in found if len(wanted & keys) < _LEAST_ALIVE * len(keys)}
    return dead | (small if len(small) > _MANY_SMALL else set())


def _batches(source: Source, missing: Mapping[str, str], files: Files) -> Iterator[list[Entry]]:
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


def _entries(source: Source, batch: Iterable[tuple[str, str, str]]) -> list[Entry]:
    several = list(batch)
    found = source.read_many({object_id for _, _, object_id in several if object_id})
    return [entry_of(key, path, found.get(object_id)) for key, path, object_id in several]


def _segment_path(folder: Path, name: str) -> Path:
    return folder / name[:2] / name


def _table_name(tree: str) -> str:
    return f"{tree}-{_TABLE_FORMAT}.table"


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _touch(path: Path) -> None:
    """Used now: what was not for longest is dropped first."""
    with suppress(OSError):
        os.utime(path)


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
