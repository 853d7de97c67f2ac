"""`erase`: take payloads of a run away for good, so that the chain stays whole and says what is gone.

Order of death:

    1. `erasing/<run>`, durable                 before: nothing happened; from here on recovery finishes
    2. an `erased` event for every payload      durable before the first payload goes: who, when, why, which
    3. payloads and their salts
    4. what was made from them: cached verdicts, tools' caches, idle work trees, leftovers of dead commands
    5. the run's private refs, if all of an ended run is erased
    6. `erasing/<run>` goes

Killed anywhere, `recover` (with which every command that writes begins) finishes: it deletes what events say is gone,
and, since it cannot know the text, every cached verdict and idle work tree. The events it did not get to write
are not written: whoever asked asks again.

The chain's own lines cannot be erased, nor can commits of the user's branches; `--match` looks there too, and says so.
A text that is nowhere is no success: whoever wants a secret gone may have misspelt it, and has to be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.payloads import Payload, chosen, payloads_of
from dev_agent.programs.remains import (
    Remain,
    any_holds,
    forms_of,
    remains_in_git,
    remains_in_run,
    remains_in_state,
)
from dev_agent.programs.storage import Stored, StoredKind, drop, stored
from dev_agent.programs.story import told
from dev_agent.repository import kept
from dev_agent.repository.refs import drop_ref
from dev_agent.repository.scratch import scratch
from dev_agent.repository.staging import staged_ref
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.errors import BlobUnavailable, JournalBusy, JournalFailed, TraceCorrupt
from dev_agent.runtime.files import sync_folder, write_atomically
from dev_agent.runtime.trace import Journal, read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

SHORTEST_MATCH = 3
_PENDING = "erasing"
_ENDED = frozenset({"committed", "verified", "no_change", "rejected", "failed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EraseRequest:
    """What to erase of a run: payloads by name, all that hold a text, or all. Nothing chosen: only list them.

    `actor` and `reason` are recorded in the trace, and stay there.
    """

    actor: str
    blobs: tuple[str, ...] = ()
    match: str | None = None
    everything: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        """Raises UsageFault for a request that cannot be meant."""
        if self.match is not None and len(self.match.strip()) < SHORTEST_MATCH:
            raise UsageFault(
                f"--match needs {SHORTEST_MATCH} or more characters", hint="name the text exactly"
            )
        if self.match is not None and self.match in self.reason:
            raise UsageFault(
                "the reason holds the text that is to be erased",
                hint="say why without it: the reason is recorded",
            )

    @property
    def chooses(self) -> bool:
        """True if something is to be erased."""
        return bool(self.blobs) or self.match is not None or self.everything


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """How a text was looked for: payloads `read`, those that could not be (`unread`), and whether it was anywhere.

    `beyond` is False where only the run's folder was looked at, because there is no repository around it.
    """

    read: int
    unread: int
    found: bool
    beyond: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """What a run holds (`payloads`), what of it goes or went (`erased`, `cleared`), and where the text still is.

    `sought` is None where no text was looked for.
    """

    run: str
    done: bool
    payloads: tuple[Payload, ...]
    erased: tuple[Payload, ...] = ()
    cleared: tuple[str, ...] = ()
    remains: tuple[Remain, ...] = ()
    reason: str = ""
    sought: Sought | None = None

    @property
    def matched_nothing(self) -> bool:
        """True if a text was looked for and was nowhere."""
        return self.sought is not None and not self.sought.found

    @property
    def exit_code(self) -> int:
        """1 if the text is known to be somewhere still; 2, wrong usage, if it was nowhere, as for a payload's name."""
        return 1 if self.remains else 2 if self.matched_nothing else 0


def erase(
    repository: Repository | None, folder: RunFolder, request: EraseRequest, *, dry_run: bool = False
) -> Erasure:
    """Erase, or tell what would be.

    Raises UsageFault, JournalBusy for a run that is driven now, TraceCorrupt and JournalFailed for one that cannot be
    read. Without a repository (a run of a program of the user's own) only the run's folder is looked at.
    """
    if not request.chooses:
        return Erasure(run=folder.run, done=False, payloads=payloads_of(read_trace(folder.path)))
    if folder.is_driven:
        raise JournalBusy(folder.run)
    # Before anything goes, and with it the answer.
    copies = _copies(repository, request)
    if dry_run:
        events = read_trace(folder.path)
        payloads = payloads_of(events)
        matching = _matching(folder, payloads, request)
        going = _going(payloads, matching, request)
        remains = _remains(repository, folder, request, planned=going)
        return Erasure(
            run=folder.run,
            done=False,
            payloads=payloads,
            erased=going,
            cleared=copies,
            remains=remains,
            sought=_sought(repository, payloads, matching, found=bool(copies or remains)),
        )
    with Journal.open(folder.path, SystemClock()) as journal:
        before = payloads_of(journal.events)
        matching = _matching(folder, before, request)
        going = _going(before, matching, request)
        pending = _begin(repository, folder.run)
        journal.erase_all(
            [one.commitment for one in going if not one.erased], request.reason, by=request.actor
        )
        cleared = _clear(repository, folder, journal, request, going)
        _end(pending)
        payloads = payloads_of(journal.events)
        gone = {one.commitment for one in going}
        remains = _remains(repository, folder, request)
        return Erasure(
            run=folder.run,
            done=True,
            payloads=payloads,
            erased=tuple(one for one in payloads if one.commitment in gone),
            cleared=cleared,
            remains=remains,
            reason=request.reason,
            sought=_sought(repository, before, matching, found=bool(copies or remains)),
        )


def finish_erasing(repository: Repository) -> tuple[str, ...]:
    """Do what is left of erasures that died, and say so; a run somebody drives now is left for later."""
    folder = repository.state_dir / _PENDING
    said = []
    for pending in sorted(folder.iterdir()) if folder.is_dir() else ():
        run = RunFolder(run=pending.name, path=repository.state_dir / "runs" / pending.name)
        try:
            if run.path.is_dir():
                Journal.open(run.path, SystemClock()).close()
        except (JournalBusy, JournalFailed, TraceCorrupt):
            continue
        _dropped(repository, _is_anything)
        _sweep(repository)
        _end(pending)
        said.append(f"run {run.run}: finished an erasure that was interrupted")
    return tuple(said)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Matching:
    """The payloads that hold the text, and how many of all could not be looked into."""

    payloads: tuple[Payload, ...]
    unread: int


def _matching(folder: RunFolder, payloads: Sequence[Payload], request: EraseRequest) -> _Matching | None:
    """None if no text is looked for."""
    if request.match is None:
        return None
    needles = forms_of(request.match)
    blobs = Blobs(folder.path)
    held = {one: _holds(blobs, one, needles) for one in payloads if not one.erased}
    read = sum(one is not None for one in held.values())
    return _Matching(payloads=tuple(one for one, there in held.items() if there), unread=len(payloads) - read)


def _going(
    payloads: Sequence[Payload], matching: _Matching | None, request: EraseRequest
) -> tuple[Payload, ...]:
    """The payloads to erase; those that were erased before are named again only if they were asked for by name."""
    named = chosen(payloads, request.blobs) if request.blobs else ()
    if request.everything:
        return tuple(dict.fromkeys([*named, *(one for one in payloads if not one.erased)]))
    return tuple(dict.fromkeys([*named, *(matching.payloads if matching else ())]))


def _holds(blobs: Blobs, payload: Payload, needles: Sequence[bytes]) -> bool | None:
    """Whether a payload holds one of them; None if nobody can tell, because it is gone."""
    try:
        content = blobs.read(payload.commitment, payload.length)
    except BlobUnavailable:
        return None
    return any(needle in content for needle in needles)


def _sought(
    repository: Repository | None, payloads: Sequence[Payload], matching: _Matching | None, *, found: bool
) -> Sought | None:
    if matching is None:
        return None
    return Sought(
        read=len(payloads) - matching.unread,
        unread=matching.unread,
        found=found or bool(matching.payloads),
        beyond=repository is not None,
    )


def _clear(
    repository: Repository | None,
    folder: RunFolder,
    journal: Journal,
    request: EraseRequest,
    going: Sequence[Payload],
) -> tuple[str, ...]:
    """Steps 4 and 5: what was made from the payloads."""
    if repository is None:
        return ()
    cleared: list[str] = []
    if request.everything or any(one.name.startswith("check.") for one in going):
        # A cached verdict holds the same words under a key that says nothing of this run.
        cleared += _dropped(repository, _is_cache)
    if request.match is not None:
        needles = forms_of(request.match)
        cleared += _dropped(repository, lambda one: any_holds(one.path, needles))
    if request.everything:
        cleared += _dropped(repository, _is_anything)
        story = told(journal.events)
        if story.finished and story.state in _ENDED:
            drop_ref(repository, staged_ref(folder.run))
            kept.release(repository, folder.run)
            cleared.append("private refs")
    _sweep(repository)
    return tuple(cleared)


def _dropped(repository: Repository, goes: Callable[[Stored], bool]) -> list[str]:
    """Drop what is kept only to be faster, as far as nobody uses it now; what went, by name."""
    return [f"{one.kind} {one.name}" for one in stored(repository) if goes(one) and drop(repository, one)]


def _is_cache(one: Stored) -> bool:
    return one.kind is not StoredKind.SLOT


def _is_anything(_one: Stored) -> bool:
    return True


def _sweep(repository: Repository) -> None:
    """Folders of dead commands go when the next one is made."""
    with scratch(repository):
        pass


def _copies(repository: Repository | None, request: EraseRequest) -> tuple[str, ...]:
    """Where the text is in what is only kept to be faster, and in what dead commands left; unused, all of it goes."""
    if repository is None or request.match is None:
        return ()
    # No run has an empty name, so none is left out; whatever lies in runs is none of these.
    found = remains_in_state(repository, "", forms_of(request.match))
    return tuple(one.place for one in found if one.place.startswith(_REMADE))


_REMADE = ("cache/", "slots/", "tmp/")


def _remains(
    repository: Repository | None,
    folder: RunFolder,
    request: EraseRequest,
    *,
    planned: Sequence[Payload] | None = None,
) -> tuple[Remain, ...]:
    """Where the text is that was asked for; a plan leaves out what is to go, and what can be made anew."""
    if request.match is None:
        return ()
    needles = forms_of(request.match)
    found = list(remains_in_run(folder, needles))
    going = {one.commitment for one in planned or ()}
    blobs = Blobs(folder.path)
    found += [
        Remain(place=f"payload {one.name}", remedy="erase it again")
        for one in payloads_of(read_trace(folder.path))
        if one.commitment not in going and _holds(blobs, one, needles)
    ]
    if repository is None:
        return tuple(found)
    remade = _REMADE if planned is not None else ()
    found += [
        one for one in remains_in_state(repository, folder.run, needles) if not one.place.startswith(remade)
    ]
    return (*found, *remains_in_git(repository, needles))


def _begin(repository: Repository | None, run: str) -> Path | None:
    if repository is None:
        return None
    folder = repository.state_dir / _PENDING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(folder / run, json.dumps({"v": 1}).encode(), durable=True)
    return folder / run


def _end(pending: Path | None) -> None:
    if pending is not None:
        pending.unlink(missing_ok=True)
        with suppress(OSError):
            sync_folder(pending.parent)
