"""One question on its way: to which workers it is put, what they are sent first, and what comes back of it.

A worker is asked with digests only. If it says what it lacks, it is sent exactly that, in pieces, beside whatever its
slots are doing, and asked again; it gets nothing that the job does not name. Whatever else happens is a setback.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING

from dev_agent.cluster.answer import BadAnswer, Judged, Lacking, Trouble, read_answer
from dev_agent.cluster.dask_worker import answer, take
from dev_agent.cluster.faults import Loss, Next, Setback, next_after
from dev_agent.cluster.ship import place_of
from dev_agent.cluster.watching import Asked
from dev_agent.runtime.canonical import parse_canonical
from dev_agent.runtime.errors import NotCanonical
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.cancel import Cancel
    from dev_agent.cluster.asking import Surety
    from dev_agent.cluster.dask_link import Link
    from dev_agent.cluster.job import Job
    from dev_agent.cluster.ship import Shipping

_PIECE = 4 << 20
_PIECE_S = 120
_MOST_SHIPMENTS = 3
_MOST_STALLS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a worker answered; `worker` is its address."""

    worker: str
    answer: Judged | Lacking


class Asking:
    """One question on its way: which workers it is put to, and what they are sent first."""

    def __init__(self, link: Link, shipping: Shipping, surety: Surety, cancel: Cancel) -> None:
        self._link, self._shipping, self._surety, self._cancel = link, shipping, surety, cancel
        self._began = time.monotonic()
        # Two that send the same file to the same worker must not write into each other's.
        self._sender = secrets.token_hex(16)

    @property
    def ms(self) -> int:
        """Since the question was first put."""
        return round((time.monotonic() - self._began) * 1000)

    def answered(self, job: Job, setbacks: list[Setback]) -> Told | Setback:
        """The next answer, after whatever has to be shipped for it. Raises Renamed, KeyboardInterrupt.

        Who was sent something is asked again, unless that one is busy with others while somebody has nothing to do.
        """
        anybody = self._elsewhere(setbacks)
        only, sent = anybody, Counter[str]()
        while True:
            told = self._asked(job, only, near=bool(only) and not anybody)
            if isinstance(told, Setback) and told.kind is Loss.LINE:
                only = anybody
                continue
            if isinstance(told, Setback) or isinstance(told.answer, Judged):
                return told
            if sent[told.worker] == _MOST_SHIPMENTS:
                return Setback(
                    kind=Loss.FORGETFUL,
                    said="the worker asks again and again for what it was sent",
                    hint="give it more room: dev-agent worker --cache-size",
                    worker=told.worker,
                )
            setback = self._ship(told.worker, job, told.answer)
            if setback is not None:
                return setback
            sent[told.worker] += 1
            only = (told.worker,)

    def _elsewhere(self, setbacks: list[Setback]) -> tuple[str, ...]:
        """The workers that may be asked: any, or those that have not failed. If there are no others, any again."""
        if not setbacks or next_after(setbacks) is not Next.ELSEWHERE:
            return ()
        failed = {one.worker for one in setbacks}
        return tuple(address for address in self._link.view().workers if address not in failed)

    def _asked(self, job: Job, only: tuple[str, ...], *, near: bool) -> Told | Setback:
        asked = Asked(
            function=answer,
            arguments=(job.to_bytes(),),
            deadline_s=job.deadline_s,
            only=only,
            near=near,
        )
        came = self._link.ask(asked, self._cancel)
        if isinstance(came, Setback):
            return came
        address, _, data = came.partition(b"\n")
        worker = address.decode("ascii", "replace")
        told = read(data, worker)
        if isinstance(told, Setback):
            return told
        if told.job != job.digest:
            return Setback(kind=Loss.NONSENSE, said="the worker's answer is about another job", worker=worker)
        return Told(worker=worker, answer=told)

    def _ship(self, worker: str, job: Job, lacking: Lacking) -> Setback | None:
        """Send the worker what it lacks, if the job names it. None once it is there."""
        named = {parcel.sha256 for parcel in job.objects}
        named |= {file.sha256 for file in (*job.files, *job.environment.own)}
        for sha256 in lacking.digests:
            # A worker is sent what the job names, and nothing else it might ask for by a digest.
            place = place_of(sha256, self._shipping, self._surety.sources) if sha256 in named else None
            if place is None:
                said = f"the worker asks for {sha256[:12]}, which the job does not name"
                return Setback(kind=Loss.NONSENSE, said=said, worker=worker)
            setback = self._sent(worker, sha256, place)
            if setback is not None:
                return setback
        return None

    def _sent(self, worker: str, sha256: str, place: Path) -> Setback | None:
        """Send a file in pieces; the worker says after each how much it has."""
        size, here, stalls = place.stat().st_size, 0, 0
        with place.open("rb") as stream:
            while stalls < _MOST_STALLS:
                stream.seek(here)
                piece = stream.read(_PIECE)
                self._cancel.check()
                came = self._link.run_on(worker, take, (sha256, self._sender, here, size, piece), _PIECE_S)
                if isinstance(came, Setback):
                    return came
                there = _here(came, worker)
                if isinstance(there, Setback):
                    return there
                if there >= size:
                    return None
                stalls = stalls + 1 if there <= here else 0
                here = there
        return Setback(kind=Loss.FORGETFUL, said="the worker does not keep what it is sent", worker=worker)


def _here(data: bytes, worker: str) -> int | Setback:
    """How many bytes the worker says it has."""
    try:
        said = parse_canonical(data)
    except NotCanonical:
        said = None
    match said:
        case int(here) | {"here": int(here)} if not isinstance(here, bool):
            return here
    told = read(data, worker)
    if isinstance(told, Setback):
        return told
    return Setback(kind=Loss.NONSENSE, said="the worker does not say what it has", worker=worker)


def read(data: bytes, worker: str) -> Judged | Lacking | Setback:
    """An answer as such; a trouble, or what is none, as the setback it is."""
    try:
        told = read_answer(data)
    except BadAnswer as error:
        return Setback(kind=Loss.NONSENSE, said=error.message, hint=error.hint, worker=worker)
    if isinstance(told, Trouble):
        return Setback(kind=told.kind, said=told.message, hint=told.hint, worker=worker)
    return told
