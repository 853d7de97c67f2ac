"""Proving a run from what is stored, trusting nothing that wrote it.

The checks, each on its own: the chain (every line, every blob, every anchor), the receipt recomputed from the
trace and compared byte for byte, the copy attached in the repository, the commit and tree it names, the
trailers in the commit, the anchor made before a landing, the signature. What cannot be checked (no repository
at hand, no signature made) is said so and never counts as a failure or as a success.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.errors import DevAgentError, UsageFault
from dev_agent.programs.folders import ENVELOPE, RECEIPT, TRACE, RunFolder, all_runs
from dev_agent.programs.hosting.receipt import hosted_receipt
from dev_agent.programs.landing_proof import landing_checks
from dev_agent.programs.payloads import payloads_of
from dev_agent.programs.proof import Check, Mark, VerifyReport
from dev_agent.programs.receipt import receipt_of
from dev_agent.programs.receipt_proof import compared, signature, stored_receipt
from dev_agent.programs.story import told
from dev_agent.repository.anchors import Anchor, anchors_of
from dev_agent.runtime.errors import RuntimeFault, TraceCorrupt
from dev_agent.runtime.events import ERASED
from dev_agent.runtime.receipt import Envelope
from dev_agent.runtime.trace import read_trace
from dev_agent.runtime.trace import verify as verify_trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.events import Event

_LARGEST = 64 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")


def verify_run(repository: Repository, folder: RunFolder, *, head: str | None = None) -> VerifyReport:
    """Verify a run of this repository; `head` is a hash of its chain that was noted elsewhere. Raises UsageFault."""
    return _with_head(_verify(folder, repository), folder, head)


def verify_file(path: Path, repository: Repository | None, *, head: str | None = None) -> VerifyReport:
    """Verify a run folder, its trace, its receipt or its envelope; a lone receipt is looked up by its run.

    `head` is a hash of the chain that was noted elsewhere: whoever holds one needs no repository to see that a tail was
    cut off or that the whole was written anew. Raises UsageFault for a path that is none of these, or no such hash.
    """
    folder, report = _verified_file(path, repository)
    return _with_head(report, folder, head)


def _with_head(report: VerifyReport, folder: RunFolder, head: str | None) -> VerifyReport:
    """The report with one check more: does the chain still hold the event that somebody noted?"""
    if head is None:
        return report
    noted = head.strip().lower()
    if not _HASH.fullmatch(noted):
        raise UsageFault(
            f"{head!r} is no head of a trace", hint="give the 64 hexadecimal digits that were noted"
        )
    numbers = (
        [event.seq for event in read_trace(folder.path) if event.hash == noted] if _whole(report) else []
    )
    if numbers:
        later = report.events - 1 - numbers[0]
        check = Check(
            name="noted head", mark=Mark.OK, detail=f"event {numbers[0]} has it; {later} came after"
        )
    else:
        check = Check(
            name="noted head",
            mark=Mark.BAD,
            detail="no event has it: the trace was cut off before it or written anew, or it is of another run",
        )
    return replace(report, checks=(*report.checks, check))


def _whole(report: VerifyReport) -> bool:
    return report.checks[0].mark is Mark.OK


def _verified_file(path: Path, repository: Repository | None) -> tuple[RunFolder, VerifyReport]:
    if path.is_dir() and os.path.lexists(path / TRACE):
        folder = RunFolder(run=path.resolve().name, path=path)
        return folder, _verify(folder, repository)
    if not path.is_file():
        raise UsageFault(
            f"{path} is neither a run folder nor a file", hint="name a run, its folder, or its receipt"
        )
    if path.name == TRACE or (path.parent / TRACE).is_file():
        given = path.read_bytes() if path.name not in (TRACE, RECEIPT, ENVELOPE) else None
        folder = RunFolder(run=path.resolve().parent.name, path=path.parent)
        return folder, _verify(folder, repository, given=given)
    return _verify_lone_receipt(path, repository)


def _verify_lone_receipt(path: Path, repository: Repository | None) -> tuple[RunFolder, VerifyReport]:
    """A receipt that came alone: its run must be here, and must give these very bytes."""
    if path.stat().st_size > _LARGEST:
        raise UsageFault(f"{path} is too large to be a receipt", hint="name a receipt.json")
    data = path.read_bytes()
    run = _run_named_by(data)
    found = [folder for folder in all_runs(repository) if folder.run == run] if repository and run else []
    if not run:
        raise UsageFault(
            f"{path} is not a receipt of dev-agent", hint="name a run, its folder, or its receipt.json"
        )
    if not found:
        raise UsageFault(
            f"{path} is a receipt of run {run}, whose trace is not here, so nothing can be recomputed",
            hint="run this in the repository of the run, or pass the run's folder",
        )
    return found[0], _verify(found[0], repository, given=data)


def _run_named_by(data: bytes) -> str:
    try:
        value = json.loads(data)
        if "payload" in value:
            value = json.loads(Envelope.from_bytes(data).payload)
        return str(value["predicate"]["run"])
    except (ValueError, KeyError, TypeError, RecursionError, RuntimeFault):
        return ""


def _verify(folder: RunFolder, repository: Repository | None, given: bytes | None = None) -> VerifyReport:
    anchors, anchor_check = _anchors(folder, repository)
    found = verify_trace(folder.path, anchors)
    checks = [
        Check(
            name="chain",
            mark=Mark.OK if found.ok else Mark.BAD,
            detail=f"{found.events} events, each bound to the one before" if found.ok else found.reason,
        ),
        anchor_check,
    ]
    if found.ok:
        checks += _erasures(read_trace(folder.path), found.notes)
        checks += _beyond_chain(folder, repository, anchors, given)
    return VerifyReport(
        run=folder.run, events=found.events, head=found.head, first_bad=found.first_bad, checks=tuple(checks)
    )


def _erasures(events: Sequence[Event], unfinished: tuple[str, ...]) -> Iterator[Check]:
    """What was erased, by whom, when and why; an erasure is part of the record and no damage."""
    names = {one.commitment: one.name for one in payloads_of(events)}
    for event in events:
        if event.type == ERASED:
            name = names.get(str(event.data.get("commit")), "a payload")
            by, reason = str(event.data.get("by", "")), str(event.data.get("reason", ""))
            said = f"{name}, at {event.at}{' by ' + by if by else ''}{': ' + reason if reason else ''}"
            yield Check(name="erased", mark=Mark.OK, detail=said)
    for note in unfinished:
        yield Check(name="erased", mark=Mark.UNCHECKED, detail=note)


def _anchors(folder: RunFolder, repository: Repository | None) -> tuple[tuple[Anchor, ...], Check]:
    if repository is None:
        return (), Check(
            name="anchors", mark=Mark.UNCHECKED, detail="no repository here: a cut tail would not show"
        )
    try:
        anchors = anchors_of(repository, folder.run)
    except (DevAgentError, ValueError) as error:
        return (), Check(name="anchors", mark=Mark.BAD, detail=str(error))
    if not anchors:
        detail = "the repository holds no anchor of this run: a cut tail would not show"
        return (), Check(name="anchors", mark=Mark.UNCHECKED, detail=detail)
    phases = ", ".join(f"{one.phase} at {one.events}" for one in anchors)
    return anchors, Check(name="anchors", mark=Mark.OK, detail=f"{phases} events")


def _beyond_chain(
    folder: RunFolder, repository: Repository | None, anchors: tuple[Anchor, ...], given: bytes | None
) -> list[Check]:
    events = read_trace(folder.path)
    try:
        story = told(events)
    except TraceCorrupt as fault:
        return [Check(name="form", mark=Mark.BAD, detail=fault.message)]
    if not story.finished:
        return [
            Check(
                name="receipt", mark=Mark.UNCHECKED, detail=f"the run has not ended; it is in {story.state}"
            )
        ]
    hosted = bool(story.request.get("hosted"))
    receipt = hosted_receipt(events) if hosted else receipt_of(events)
    checks = [stored_receipt(folder, receipt), signature(folder, repository, receipt)]
    if given is not None:
        checks.append(compared("given file", given, receipt, folder))
    if repository is not None and story.state == "committed" and not hosted:
        heads = frozenset(event.hash for event in events)
        checks += landing_checks(repository, story, receipt, anchors, heads)
    return checks
