"""Reading runs back: the list, one run whole, its patch. Everything is computed from traces; nothing is changed.

Who does not own a run's folder reads marks where a secret is (see `runtime.projection.HumanView`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from dev_agent.errors import UsageFault
from dev_agent.programs.candidates.records import Recorded, recorded_candidates
from dev_agent.programs.conclusion import Places, report_of
from dev_agent.programs.cost import FREE, NOTHING_SPENT, Cost, Spending, spending_of
from dev_agent.programs.folders import RunFolder, all_runs
from dev_agent.programs.judged_by import said_by
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.story import REQUEST, PathStep, Story, told
from dev_agent.programs.texts import restored
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.errors import BlobUnavailable, RuntimeFault
from dev_agent.runtime.projection import HumanView
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.events import Event

_PATCHES = ("rebase.change.patch", "hooks.change.patch", "stage.change.patch")
DAMAGED = "damaged"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """One line of the list; `outcome` is an Outcome's value, or `damaged` with the damage as `reason`."""

    run: str
    started: str
    task: str
    outcome: str
    reason: str
    commit: str | None
    files: int
    ms: int
    spent: Cost = FREE


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One run whole. `receipt` is None before it ended; `patch` is what it staged last, empty if it staged nothing."""

    report: RunReport
    started: str
    ended: str
    path: tuple[PathStep, ...]
    verdicts: tuple[Mapping[str, Any], ...]
    findings: tuple[Mapping[str, Any], ...]
    receipt: bytes | None
    patch: bytes
    outputs: Mapping[str, bytes]
    spending: Spending = NOTHING_SPENT
    candidates: tuple[Recorded, ...] = ()


def list_runs(repository: Repository) -> tuple[RunSummary, ...]:
    """All runs, newest first. A damaged trace is a line of its own, never an error for the rest."""
    return tuple(summary_of(folder) for folder in all_runs(repository))


def summary_of(folder: RunFolder) -> RunSummary:
    """The line of one run."""
    try:
        record = read_run(folder)
    except RuntimeFault as fault:
        return RunSummary(
            run=folder.run,
            started="",
            task="",
            outcome=DAMAGED,
            reason=fault.message,
            commit=None,
            files=0,
            ms=0,
        )
    report = record.report
    return RunSummary(
        run=folder.run,
        started=record.started,
        task=report.task,
        outcome=report.outcome.value,
        reason=report.reason,
        commit=report.commit if report.outcome is Outcome.COMMITTED else None,
        files=len(report.files),
        ms=report.cost.get("ms") or 0,
        spent=report.spent,
    )


def read_run(folder: RunFolder) -> RunRecord:
    """One run from its folder. Raises JournalFailed or TraceCorrupt for a trace that cannot be read."""
    driven = folder.is_driven
    events = read_trace(folder.path)
    story = told(events)
    # Root reads everything anyway, and a run it made for somebody is handed over to them.
    view = HumanView(owner=os.getuid() in (0, folder.path.stat().st_uid))
    blobs = _Payloads(folder, events, view)
    story.facts = cast("dict[str, Any]", view.value(restored(story.facts, story, blobs.raw)))
    receipt = folder.receipt.read_bytes() if folder.receipt.is_file() else None
    report = report_of(
        story,
        task=blobs.text(story, f"{REQUEST}.task"),
        places=Places(
            trace=str(folder.path / "trace.jsonl"),
            receipt=str(folder.receipt) if receipt is not None else None,
        ),
        alive=driven,
    )
    check = story.facts.get("check", {})
    findings: Any = thaw(story.facts.get("check_policy", {}).get("findings", ()))
    return RunRecord(
        report=report,
        started=story.started,
        ended=story.ended,
        path=tuple(story.path),
        verdicts=tuple(
            {**verdict, **said_by(one)}
            for one in check.values()
            if isinstance(one, Mapping)
            for verdict in one.get("verdicts", ())
        ),
        findings=tuple(findings),
        receipt=receipt,
        patch=blobs.first(story, _PATCHES),
        spending=spending_of(events),
        candidates=recorded_candidates(events),
        outputs={
            name: blobs.first(story, (f"check.{name}.output",))
            for name in check
            if f"check.{name}.output" in story.blobs
        },
    )


def candidate_diff(folder: RunFolder, text: str) -> bytes:
    """The patch of one candidate: `3` is number 3 of the last round, `1.3` of the first.

    Raises UsageFault for one the run does not have, or that never became a change.
    """
    events = read_trace(folder.path)
    found = recorded_candidates(events)
    if not found:
        raise UsageFault(f"run {folder.run} tried no candidates", hint=f"see: dev-agent diff {folder.run}")
    round_, _, number = text.rpartition(".")
    wanted = (round_ or str(found[-1].round), number)
    one = next((one for one in found if (str(one.round), str(one.candidate.number)) == wanted), None)
    named = ", ".join(f"{one.round}.{one.candidate.number}" for one in found)
    if one is None:
        raise UsageFault(f"run {folder.run} has no candidate {text!r}", hint=f"it has {named}")
    if not one.patch:
        raise UsageFault(
            f"candidate {text} never became a change: {one.reason}", hint=f"see: dev-agent show {folder.run}"
        )
    view = HumanView(owner=os.getuid() in (0, folder.path.stat().st_uid))
    return _Payloads(folder, events, view).read(one.patch) or b""


def diff_of(folder: RunFolder) -> bytes:
    """The patch of what a run staged last, as a git-style diff; empty if it staged nothing."""
    return read_run(folder).patch


class _Payloads:
    """The blobs of one run; what was erased reads as a note or as nothing."""

    def __init__(self, folder: RunFolder, events: tuple[Event, ...], view: HumanView) -> None:
        self._view = view
        self._blobs = Blobs(folder.path)
        self._lengths = {blob.commitment: blob.length for event in events for blob in event.blobs}

    def text(self, story: Story, name: str) -> str:
        """The text of a blob, or a note that it was erased or never recorded."""
        if name not in story.blobs:
            return "(not recorded)"
        data = self.read(story.blobs.get(name, ""))
        return "(erased)" if data is None else data.decode("utf-8", "replace")

    def first(self, story: Story, names: tuple[str, ...]) -> bytes:
        """The first of these blobs that the run has and that was not erased."""
        found = (self.read(story.blobs[name]) for name in names if name in story.blobs)
        return next((data for data in found if data is not None), b"")

    def read(self, commitment: str) -> bytes | None:
        """The payload behind a commitment as this person may read it, None if it is gone."""
        data = self.raw(commitment)
        return None if data is None else self._view.payload(data)

    def raw(self, commitment: str) -> bytes | None:
        """The payload behind a commitment, None if it is gone."""
        try:
            return self._blobs.read(commitment, self._lengths[commitment])
        except (KeyError, BlobUnavailable):
            return None
