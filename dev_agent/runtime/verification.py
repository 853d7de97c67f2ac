"""Checking a trace that somebody hands over: is it whole, and is it the one that was anchored?

`verify` trusts nothing in the folder and never raises; it names the first bad event. What a chain alone
cannot show is a cut tail or a whole chain written anew: that needs an `Anchor` kept elsewhere. Whoever can
rewrite both folder and anchors is out of reach without a signature.

Order of the findings: the chain; then the anchors; then the blobs that the whole chain says must be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path

from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.chain import TRACE_NAME, Chain
from dev_agent.runtime.errors import BlobUnavailable, TraceCorrupt
from dev_agent.runtime.events import ERASED, BlobRef, Event
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What was once true of a run, kept outside its folder: its first `events` events end in hash `head`."""

    run: str
    events: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result: `events` good events from the start, the last of which has hash `head` ("" if none).

    `first_bad` is the seq (from 0; line = seq + 1) of the first bad event, `reason` says why. `notes` are
    findings that are no damage: an erasure that was recorded but not finished.
    """

    ok: bool
    events: int
    head: str
    first_bad: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Read:
    run: str = ""
    hashes: list[str] = field(default_factory=list)
    blobs: dict[str, tuple[int, BlobRef]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        self.run = event.run
        self.hashes.append(event.hash)
        for blob in event.blobs:
            self.blobs.setdefault(blob.commitment, (event.seq, blob))
        if event.type == ERASED:
            self.erased.add(str(event.data.get("commit")))


def verify(folder: Path, anchors: Sequence[Anchor] = ()) -> Verification:
    """Check the trace in `folder`, its blobs, and the anchors. Never raises."""
    read = _Read()
    chain = Chain(folder)
    try:
        for event in chain:
            read.take(event)
    except TraceCorrupt as fault:
        return _bad(read, fault.seq, fault.reason)
    except (OSError, ValueError, MemoryError) as error:
        return _bad(read, len(read.hashes), f"{TRACE_NAME} cannot be read: {error}")
    if not read.hashes:
        return _bad(read, 0, f"{TRACE_NAME} has no complete event")
    if chain.torn:
        seq = len(read.hashes)
        return _bad(
            read, seq, f"torn last line of {chain.torn} bytes (line {seq + 1}); opening the run cuts it"
        )
    for seq, reason in contradictions(read.run, read.hashes, anchors):
        return _bad(read, seq, reason)
    return _with_blobs(read, Blobs(folder))


def contradictions(run: str, hashes: Sequence[str], anchors: Sequence[Anchor]) -> Iterator[tuple[int, str]]:
    """What anchors say against a trace of `run` whose events have these hashes: the first bad seq, and why."""
    for anchor in sorted(anchors, key=lambda anchor: anchor.events):
        if anchor.run != run:
            yield 0, f"the anchor is for run {anchor.run}, the trace for {run}"
        elif anchor.events < 1:
            yield 0, "an anchor must cover at least one event"
        elif anchor.events > len(hashes):
            yield len(hashes), f"truncated: anchored with {anchor.events} events, {len(hashes)} are left"
        elif hashes[anchor.events - 1] != anchor.head:
            yield anchor.events - 1, "rewritten: the anchor names another hash for this event"


def _with_blobs(read: _Read, blobs: Blobs) -> Verification:
    notes = []
    for commitment, (seq, blob) in read.blobs.items():
        if commitment in read.erased:
            if blobs.exists(commitment):
                notes.append(
                    f"blob {commitment} was erased on record but is still there; opening the run erases it"
                )
            continue
        try:
            blobs.read(commitment, blob.length)
        except BlobUnavailable as fault:
            return _bad(read, seq, f"{blob.role}: {fault.message}, and no event says it was erased")
    return Verification(ok=True, events=len(read.hashes), head=read.hashes[-1], notes=tuple(notes))


def _bad(read: _Read, seq: int, reason: str) -> Verification:
    good = read.hashes[:seq]
    return Verification(
        ok=False, events=len(good), head=good[-1] if good else "", first_bad=seq, reason=reason
    )
