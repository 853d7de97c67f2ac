"""The journal of one run: the only source of truth, appended to and never changed.

A run folder holds `trace.jsonl` (see `events`), `blobs/` and `salts/` (see `blobs`) and `lock`. One writer
at a time: a Journal holds an exclusive flock on `lock` from `create` or `open` until `close`. One event is
one write; with `durable` it is on the disk before `append` returns, and so is everything before it: the
events, the blobs they name, and the folder and the file themselves. A power loss therefore leaves what a kill
would have left somewhere between the last durable event and now. `flush` does the same without an event.

Killed during an append: the file ends in a torn line. `open` cuts it and records `recovered{droppedBytes}`.
A bad line anywhere else is damage: TraceCorrupt. A failed write is undone; if that fails too, or an fsync
failed (nobody knows then what is on the disk), the Journal refuses further use.

Leaves to others: what events mean (`fold`), and checking folders of strangers (`verification`, which is
re-exported here).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from dev_agent.runtime.blobs import Blobs, random_salt
from dev_agent.runtime.chain import TRACE_NAME, Chain, binding_of
from dev_agent.runtime.durability import Barrier
from dev_agent.runtime.errors import BlobUnavailable, JournalFailed, TraceCorrupt
from dev_agent.runtime.events import (
    ERASED,
    RECOVERED,
    RUN_STARTED,
    BlobRef,
    Event,
    genesis,
    new_event,
    next_event,
)
from dev_agent.runtime.files import begin_file
from dev_agent.runtime.lock import locked
from dev_agent.runtime.verification import Anchor, Verification, verify
from dev_agent.runtime.written import Written

KEPT = 1_000
"""A journal keeps so many of the events it has read in memory, beyond that none: memory must not grow with the run."""

__all__ = ["Anchor", "BlobRef", "Event", "Journal", "Verification", "read_trace", "verify"]


class Now(Protocol):
    """The part of a clock a journal needs."""

    def now(self) -> str:
        """Return the wall time as RFC 3339 UTC text."""
        ...


class Journal:
    """The open journal of one run. Make it with `create` or `open`; use it as a context manager."""

    def __init__(self, folder: Path, clock: Now, lock: int, salt: Callable[[], bytes]) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = lock
        self._blobs = Blobs(folder, salt)
        self._first: Event | None = None
        self._run = ""
        self._count = 0
        self._head = ""
        self._seen: tuple[tuple[Event, ...], int] = ((), 0)
        self._references: dict[str, BlobRef] = {}
        self._file = -1
        self._size = 0
        self._usable = True
        self._turn = threading.Lock()
        self._unflushed: dict[str, None] = {}
        self._names: set[Path] = set()

    @classmethod
    def create(
        cls,
        folder: Path,
        run: str,
        binding: Mapping[str, str],
        clock: Now,
        *,
        salt: Callable[[], bytes] = random_salt,
    ) -> Self:
        """Begin the journal of `run` in `folder`. Raises JournalFailed, JournalBusy, NotCanonical.

        Killed before the rename of the first line: no trace, and `create` can be called again. After it: a
        trace of one event. It is on the disk with the first durable event; a power loss before that may leave
        an empty or a torn file, of a run that had done nothing yet.
        """
        at = clock.now()
        first, line = new_event(
            run=run,
            seq=0,
            prev=genesis(run, binding),
            type=RUN_STARTED,
            at=at,
            actor="agent",
            data={"binding": dict(binding)},
            blobs=(),
        )
        binding_of(first)
        journal = cls(folder, clock, locked(folder, run), salt)
        try:
            if os.path.lexists(folder / TRACE_NAME):
                raise JournalFailed(f"{folder.name} already holds a run", "open it, or choose another folder")
            journal._file = begin_file(folder / TRACE_NAME, line)
            journal._size = len(line)
            journal._names.update((folder, folder.parent))
            journal._take(first)
            journal._see((first,), len(line))
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open(cls, folder: Path, clock: Now, *, salt: Callable[[], bytes] = random_salt) -> Self:
        """Take up a journal again: check the whole chain, cut a torn tail, finish recorded erasures.

        Raises JournalFailed, TraceCorrupt. Killed at any line: calling it again does the rest.
        """
        if not os.path.lexists(folder / TRACE_NAME):
            raise JournalFailed(f"{folder.name} holds no run", "check the run's id")
        journal = cls(folder, clock, locked(folder, folder.name), salt)
        try:
            journal._take_up()
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def run(self) -> str:
        """The run's id."""
        return self._begun.run

    @property
    def binding(self) -> Mapping[str, str]:
        """What the run was bound to when it began."""
        return binding_of(self._begun)

    @property
    def _begun(self) -> Event:
        if self._first is None:
            raise AssertionError("BUG: a journal is handed out with its first event")
        return self._first

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event so far, oldest first, as the file has them; what was read before is not read again.

        Beyond `KEPT` events it costs time and memory for all of them; ask once, not in a loop. Raises JournalFailed,
        TraceCorrupt.
        """
        with self._turn:
            seen, size = self._seen
            if len(seen) == self._count:
                return seen
            # Not beyond what this journal knows to have appended whole: the file may hold more than that
            # where an interruption came between file and memory.
            chain = Chain(self.folder, after=seen[-1] if seen else None, size=size)
            seen += tuple(islice(_events(chain), self._count - len(seen)))
            self._see(seen, chain.size)
            return seen

    @property
    def head(self) -> str:
        """The hash of the last event."""
        return self._head

    def anchor(self) -> Anchor:
        """Return what is true of this run now, to be kept somewhere else."""
        return Anchor(run=self.run, events=self._count, head=self._head)

    def append(
        self,
        type: str,  # noqa: A002 - the field's name
        data: Mapping[str, object] | Written,
        *,
        actor: str = "agent",
        blobs: Mapping[str, bytes] | None = None,
        durable: bool = False,
    ) -> Event:
        """Append one event; `blobs` maps roles to payloads. Raises NotCanonical, JournalFailed.

        Killed before the write: perhaps blobs nothing names. During it: a torn line, cut by the next `open`.
        With `durable`, when this returns the event and everything before it survive a power loss.
        """
        with self._turn:
            if not self._usable:
                self._require_usable()
            references = self._commitments(blobs) if blobs else ()
            event, line = next_event(
                self._run, self._count, self._head, type, self._clock.now(), actor, data, references
            )
            # Unusable until the event is in memory too: an interruption between file and memory would otherwise
            # let the next event claim the same seq.
            self._usable = False
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("only a part was written")
            except OSError as error:
                raise self._not_appended(error) from error
            self._size += len(line)
            if durable:
                self._reach_disk(None)
            self._count += 1
            self._head = event.hash
            for reference in references:
                self._references[reference.commitment] = reference
            self._usable = True
            return event

    def blob(self, commitment: str) -> bytes:
        """Return the payload behind a commitment some event of this run names. Raises BlobUnavailable."""
        return self._blobs.read(commitment, self._reference(commitment).length)

    def erase(self, commitment: str, reason: str, *, actor: str = "user") -> Event:
        """Erase a payload for good: record it, then delete. Raises BlobUnavailable, JournalFailed.

        Killed between the two: the next `open` finishes the deletion. The chain stays whole.
        """
        self._reference(commitment)
        event = self.append(ERASED, {"commit": commitment, "reason": reason}, actor=actor, durable=True)
        self._delete(commitment)
        return event

    def erase_all(self, commitments: Sequence[str], reason: str, *, by: str, actor: str = "user") -> None:
        """Erase several payloads: all are recorded before the first is deleted. `by` says whose word it was.

        Raises BlobUnavailable before anything was recorded, JournalFailed. Killed as with `erase`.
        """
        for commitment in commitments:
            self._reference(commitment)
        for commitment in commitments:
            data = {"commit": commitment, "reason": reason, "by": by}
            self.append(ERASED, data, actor=actor, durable=commitment == commitments[-1])
        for commitment in commitments:
            self._delete(commitment)

    def flush(self, barrier: Barrier | None = None) -> None:
        """Put everything appended so far on the disk, as part of `barrier` if one is given. Raises JournalFailed.

        After a failure nobody knows what is on the disk, so the journal refuses further use.
        """
        with self._turn:
            self._require_usable()
            self._usable = False
            self._reach_disk(barrier)
            self._usable = True

    def close(self) -> None:
        """Let go of the files and the lock. The journal cannot be used afterwards; closing twice is fine."""
        self._usable = False
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_up(self) -> None:
        chain = Chain(self.folder)
        erased = []
        read: list[Event] = []
        for event in _events(chain):
            self._take(event)
            if self._count <= KEPT:
                read.append(event)
            if event.type == ERASED:
                erased.append(str(event.data.get("commit")))
        if self._first is None:
            raise _no_event()
        if self._count == len(read):
            self._see(tuple(read), chain.size)
        self._begin_appending(chain.size)
        if chain.torn:
            self._cut_back()
            self.append(RECOVERED, {"droppedBytes": chain.torn}, durable=True)
        for commitment in erased:
            self._delete(commitment)

    def _begin_appending(self, size: int) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._file = os.open(self.folder / TRACE_NAME, flags)
        except OSError as error:
            raise JournalFailed(
                f"cannot open the trace for writing: {error.strerror}", "check its rights"
            ) from error
        self._size = size

    def _take(self, event: Event) -> None:
        if self._first is None:
            self._first = event
            self._run = event.run
        self._count = event.seq + 1
        self._head = event.hash
        for blob in event.blobs:
            self._references[blob.commitment] = blob

    def _see(self, events: tuple[Event, ...], size: int) -> None:
        """Keep the events that were read, and where the file goes on: in one step, for an interruption's sake."""
        self._seen = (events, size) if len(events) <= KEPT else ((), 0)

    def _require_usable(self) -> None:
        if not self._usable or self._file < 0:
            raise JournalFailed("the journal is closed or an earlier write failed", "open the run again")

    def _commitments(self, blobs: Mapping[str, bytes]) -> list[BlobRef]:
        references = [
            BlobRef(role=role, length=len(data), commitment=self._blobs.write(data))
            for role, data in blobs.items()
        ]
        self._unflushed.update((each.commitment, None) for each in references)
        return references

    def _not_appended(self, error: OSError) -> JournalFailed:
        """The failure of a write, once it is undone. Raises JournalFailed if it cannot be."""
        self._cut_back()
        self._usable = True
        return JournalFailed(f"cannot append to the trace: {error}", "make space; the run can go on")

    def _reach_disk(self, barrier: Barrier | None) -> None:
        """The blobs before the line that names them, where there is an order at all."""
        try:
            if barrier is None and not self._unflushed and not self._names:
                # One file: asking for all that others wrote to this file system would be dearer.
                os.fsync(self._file)
                return
            group = barrier or Barrier()
            for commitment in self._unflushed:
                for path in self._blobs.files_of(commitment):
                    with suppress(FileNotFoundError):  # erased since
                        group.add_file(path)
            group.add(self._file)
            # The names of older blobs were flushed with these blobs.
            blobs = self._blobs.folders if self._unflushed else ()
            for folder in dict.fromkeys((*blobs, self.folder, *self._names)):
                with suppress(FileNotFoundError):  # no blob yet
                    group.add_folder(folder)
        except OSError as error:
            raise JournalFailed(
                f"the trace did not reach the disk: {error}", "check the disk, then resume"
            ) from error
        self._unflushed.clear()
        self._names.clear()

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError as error:
            raise JournalFailed(f"a torn line could not be cut: {error}", "open the run again") from error

    def _reference(self, commitment: str) -> BlobRef:
        if commitment not in self._references:
            raise BlobUnavailable(commitment, f"no event of run {self.run} names blob {commitment[:80]}")
        return self._references[commitment]

    def _delete(self, commitment: str) -> None:
        with suppress(BlobUnavailable):
            self._blobs.erase(self._reference(commitment).commitment)


def read_trace(folder: Path) -> tuple[Event, ...]:
    """Return the events of a run without locking it; a torn tail (somebody may be appending) is left out.

    Raises JournalFailed, TraceCorrupt.
    """
    events = tuple(_events(Chain(folder)))
    if not events:
        raise _no_event()
    return events


def _no_event() -> TraceCorrupt:
    return TraceCorrupt(
        0,
        "the trace has no complete event",
        "a power loss leaves this of a run that had done nothing yet; of any other run it is damage",
    )


def _events(chain: Chain) -> Iterator[Event]:
    try:
        yield from chain
    except OSError as error:
        raise JournalFailed(
            f"cannot read the trace: {error.strerror or error}",
            "it has to be a regular file that you may read",
        ) from error
