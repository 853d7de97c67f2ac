"""`prune`: drop runs nobody needs any more, and what can be made again: cached verdicts and private work trees.

First a plan, then the deed; the plan alone changes nothing. Never dropped: anchors and receipts (refs of the
repository, which outlive every run), what a run landed, the user's files, a run that somebody drives. A run that
waits (suspended or kept) or whose trace is damaged is dropped only when it is named: the one is somebody's
decision, the other may be evidence.

Order of a run's death, under the lock of its journal so that nobody takes it up meanwhile:

    1. its folder is renamed to `dev-agent/dropped/<run>`    before: the run is whole; after: it is gone from all lists
    2. its refs `staged/<run>` and `kept/<run>` are deleted
    3. the folder is removed

Killed after 1, the folder in `dropped/` is the record of what is left to do, and recovery, which the next command
begins with, does it (`dropping.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.dropping import drop_run
from dev_agent.programs.folders import RunFolder, all_runs, find_run
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import DAMAGED, RunSummary, summary_of
from dev_agent.programs.storage import Stored, StoredKind, drop, stored
from dev_agent.repository.pruning import Freeable, free_slot, size_of, slots_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_ONLY_NAMED = {
    Outcome.SUSPENDED.value: "waits for a person; name it with --run",
    Outcome.KEPT.value: "holds a verified change; name it with --run",
    DAMAGED: "has a damaged trace; name it with --run",
}
_RUNNING = "is being driven now"
_AGE = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
OUTCOMES = (*(one.value for one in Outcome if one is not Outcome.RUNNING), DAMAGED)
"""What runs can be chosen by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PruneRequest:
    """What to drop. A run goes if it is named, or if it fits every one of the criteria that are given.

    `older_than` is compared with when a run began, `keep` spares that many newest ones, `outcome` chooses those
    that stand so.
    """

    older_than: timedelta | None = None
    keep: int | None = None
    outcome: str | None = None
    runs: tuple[str, ...] = ()
    cache: bool = False
    slots: bool = False

    def __post_init__(self) -> None:
        """Raises UsageFault for a request that says nothing, or something that cannot be."""
        if not (self.chooses or self.runs or self.cache or self.slots):
            raise UsageFault(
                "nothing was named to be pruned",
                hint="say what: --older-than 30d, --keep 20, --outcome rejected, --run RUN, --cache, --slots",
            )
        if self.keep is not None and self.keep < 0:
            raise UsageFault("--keep takes a count of runs", hint="for example: --keep 20")
        if self.outcome is not None and self.outcome not in OUTCOMES:
            raise UsageFault(f"no run can stand as {self.outcome!r}", hint=f"one of: {', '.join(OUTCOMES)}")

    @property
    def chooses(self) -> bool:
        """True if there is some criterion."""
        return self.older_than is not None or self.keep is not None or self.outcome is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Doomed:
    """A run that goes, and the bytes that frees."""

    run: str
    started: str
    outcome: str
    task: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spared:
    """Something that fits the request and stays, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruning:
    """What goes (or, once `done`, what went) and what stays against the request; `notes` tell what recovery did."""

    runs: tuple[Doomed, ...]
    slots: tuple[Freeable, ...]
    cache: Freeable | None
    spared: tuple[Spared, ...]
    done: bool
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """All that is freed."""
        things: tuple[Doomed | Freeable, ...] = (
            *self.runs,
            *self.slots,
            *((self.cache,) if self.cache else ()),
        )
        return sum(one.bytes for one in things)


def parse_age(text: str) -> timedelta:
    """`12h`, `30d` or `8w`. Raises UsageFault for anything else."""
    found = _AGE.fullmatch(text.strip())
    if not found:
        raise UsageFault(f"{text!r} is not an age", hint="say a number with h, d or w, for example: 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def plan_pruning(repository: Repository, request: PruneRequest, *, now: datetime | None = None) -> Pruning:
    """What `prune` would do. Changes nothing. Raises UsageFault for a named run that is not there."""
    summaries = {folder.run: (folder, summary_of(folder)) for folder in all_runs(repository)}
    named = {find_run(repository, text).run for text in request.runs}
    fitting = _fitting([one for _, one in summaries.values()], request, now or datetime.now(UTC))
    doomed: list[Doomed] = []
    spared: list[Spared] = []
    for run, (folder, summary) in summaries.items():
        if run not in named and run not in fitting:
            continue
        reason = _reason_to_spare(folder, summary, named=run in named)
        if reason:
            spared.append(Spared(name=run, reason=reason))
        else:
            doomed.append(_doomed(folder, summary))
    slots = slots_of(repository) if request.slots else ()
    cached = _cached(repository) if request.cache else ()
    spared += [Spared(name=f"mypy cache {one.name}", reason="is in use") for one in cached if one.busy]
    spared += [Spared(name=f"slot {one.name}", reason="is in use") for one in slots if one.busy]
    return Pruning(
        runs=tuple(doomed),
        slots=tuple(one for one in slots if not one.busy),
        cache=_as_one(one for one in cached if not one.busy) if request.cache else None,
        spared=tuple(spared),
        done=False,
    )


def prune(repository: Repository, request: PruneRequest, *, now: datetime | None = None) -> Pruning:
    """Do what the plan says; what somebody took into use meanwhile is spared. Can be repeated after any death.

    Raises UsageFault, GitFailed or OSError; what was not reached stays.
    """
    recovered = recover_everything(repository)
    plan = plan_pruning(repository, request, now=now)
    spared = list(plan.spared)
    gone: list[Doomed] = []
    for one in plan.runs:
        if drop_run(repository, one.run):
            gone.append(one)
        else:
            spared.append(Spared(name=one.run, reason=_RUNNING))
    emptied: list[Freeable] = []
    for slot in plan.slots:
        if free_slot(repository, slot.name):
            emptied.append(slot)
        else:
            spared.append(Spared(name=f"slot {slot.name}", reason="is in use"))
    freed = [one for one in (_cached(repository) if request.cache else ()) if drop(repository, one)]
    kept_files = (f"files that could not go back to their place are kept in {one}" for one in recovered.kept)
    return Pruning(
        runs=tuple(gone),
        slots=tuple(emptied),
        cache=_as_one(freed) if request.cache else None,
        spared=tuple(spared),
        done=True,
        notes=(*recovered.actions, *kept_files),
    )


def _cached(repository: Repository) -> tuple[Stored, ...]:
    return tuple(one for one in stored(repository) if one.kind is not StoredKind.SLOT)


def _as_one(things: Iterable[Stored]) -> Freeable:
    return Freeable(name="cache", bytes=sum(one.bytes for one in things))


def _fitting(runs: list[RunSummary], request: PruneRequest, now: datetime) -> set[str]:
    if not request.chooses:
        return set()
    found: Iterable[RunSummary] = runs[request.keep :] if request.keep is not None else runs
    if request.outcome is not None:
        found = [one for one in found if one.outcome == request.outcome]
    if request.older_than is not None:
        found = [one for one in found if _began_before(one, now - request.older_than)]
    return {one.run for one in found}


def _began_before(run: RunSummary, limit: datetime) -> bool:
    """Runs whose beginning cannot be read are of no known age: they are never old."""
    try:
        return datetime.fromisoformat(run.started) < limit
    except (ValueError, TypeError):
        return False


def _reason_to_spare(folder: RunFolder, summary: RunSummary, *, named: bool) -> str:
    """Why a run stays, "" if it may go."""
    if folder.is_driven:
        return _RUNNING
    return "" if named else _ONLY_NAMED.get(summary.outcome, "")


def _doomed(folder: RunFolder, summary: RunSummary) -> Doomed:
    return Doomed(
        run=folder.run,
        started=summary.started,
        outcome=summary.outcome,
        task=summary.task,
        bytes=size_of(folder.path),
    )
