"""Reading a trace file: every line checked, and linked to the one before.

A file is a sequence of complete lines and perhaps a torn tail: bytes after the last newline, left by a
process killed while appending. Anything else that is wrong is damage, and the first damaged event is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.errors import NotCanonical, TraceCorrupt
from dev_agent.runtime.events import (
    FOREIGN,
    MAX_LINE,
    NEWER,
    RUN_STARTED,
    Event,
    following,
    genesis,
    parse_line,
)
from dev_agent.runtime.files import open_regular

TRACE_NAME = "trace.jsonl"


class Chain:
    """Iterates over the events of one trace file, or over those after an event that was read before.

    `size` is where the next event begins, in bytes; after the iteration `torn` is the length of the torn tail behind
    it. Raises TraceCorrupt at the first bad event, OSError.
    """

    def __init__(self, folder: Path, *, after: Event | None = None, size: int = 0) -> None:
        """`size` is that of the file up to the end of `after`."""
        self._path = folder / TRACE_NAME
        self._after = after
        self.torn = 0
        self.size = size

    def __iter__(self) -> Iterator[Event]:
        previous = self._after
        with open_regular(self._path) as file:
            file.seek(self.size)
            for line in self._lines(file):
                previous = _linked(line, previous)
                self.size += len(line) + 1
                yield previous

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        while line := file.readline(MAX_LINE + 1):
            if line.endswith(b"\n"):
                yield line[:-1]
            elif len(line) > MAX_LINE:
                yield line  # too long even for an event: `parse_line` refuses it
            else:
                self.torn = len(line)


def _linked(line: bytes, previous: Event | None) -> Event:
    plain = following(line, previous) if previous is not None else None
    if plain is not None:
        return plain
    seq = 0 if previous is None else previous.seq + 1
    try:
        event = parse_line(line)
        _check_link(event, previous, seq)
    except NotCanonical as fault:
        reason = f"{fault.message} (line {seq + 1})"
        # Another version's trace, or no trace at all, is no damage: the usual advice would be wrong.
        if seq == 0 and fault.hint in (NEWER, FOREIGN):
            raise TraceCorrupt(seq, reason, fault.hint) from None
        raise TraceCorrupt(seq, reason) from None
    return event


def _check_link(event: Event, previous: Event | None, seq: int) -> None:
    if event.seq != seq:
        raise NotCanonical(f"seq is {event.seq}, expected {seq}: an event was removed, added or moved")
    if previous is None:
        if event.type != RUN_STARTED:
            raise NotCanonical(f"the first event is {event.type}, not {RUN_STARTED}")
        if event.prev != genesis(event.run, binding_of(event)):
            raise NotCanonical("prev does not follow from the run and its binding")
    elif event.run != previous.run:
        raise NotCanonical(f"belongs to run {event.run}, not {previous.run}")
    elif event.prev != previous.hash:
        raise NotCanonical("prev is not the hash of the event before")
    elif event.type == RUN_STARTED:
        raise NotCanonical(f"{RUN_STARTED} may only be the first event")


def binding_of(event: Event) -> Mapping[str, str]:
    """Return what a run was bound to, from its first event. Raises NotCanonical."""
    binding = event.data.get("binding")
    if not isinstance(binding, Mapping):
        raise NotCanonical("the first event has no binding")
    return {key: _bound(item) for key, item in binding.items()}


def _bound(item: Json) -> str:
    if not isinstance(item, str):
        raise NotCanonical("a binding's values must be text")
    return item
