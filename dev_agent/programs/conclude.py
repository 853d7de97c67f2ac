"""What follows a drive: for a finished run its receipt, in the run's folder and in the repository; a report.

Order: the envelope, if the user signs → the receipt attached in the repository → the last anchor → the receipt in
the run's folder. The last one is the mark that all is done, and no power loss leaves it without the others: where it
is missing recovery concludes again, and every step can be repeated. Nothing here changes how the run ended, so a
full disk or a locked ref is a warning of the report.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.errors import DevAgentError
from dev_agent.programs.anchoring import END, START, anchor_now
from dev_agent.programs.conclusion import Places, report_of
from dev_agent.programs.folders import ANSWERS, RunFolder
from dev_agent.programs.receipt import receipt_of
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.staged import current
from dev_agent.programs.story import REQUEST, Story, told
from dev_agent.programs.texts import restored
from dev_agent.repository import receipts
from dev_agent.repository.anchors import latest_anchors
from dev_agent.repository.belonging import give_to_owner
from dev_agent.repository.refs import drop_ref
from dev_agent.repository.signing import NotSigned, sign
from dev_agent.repository.staging import staged_ref
from dev_agent.runtime.durability import write_mark
from dev_agent.runtime.errors import BlobUnavailable, RuntimeFault
from dev_agent.runtime.files import write_atomically
from dev_agent.runtime.receipt import PAYLOAD_TYPE, Envelope, Signature, pae

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.trace import Journal


def conclude(repository: Repository, folder: RunFolder, journal: Journal) -> RunReport:
    """Write what is missing of a finished run's proof, and report. An unfinished run is only reported.

    In the end what root made in somebody's git dir is theirs.
    """
    story = told(journal.events)
    story.facts = restored(story.facts, story, lambda commitment: _payload(journal, commitment))
    warnings: tuple[str, ...] = ()
    if story.finished:
        shutil.rmtree(folder.path / ANSWERS, ignore_errors=True)  # what counts of them is in the trace
        try:
            _prove(repository, folder, journal, story)
        except (DevAgentError, RuntimeFault, OSError) as error:
            warnings = (
                f"its proof is not complete yet: {error}; mend the cause, then run: dev-agent recover",
            )
    report = report_of(
        story,
        task=task_of(story, journal),
        places=Places(
            trace=str(folder.path / "trace.jsonl"),
            receipt=str(folder.receipt) if folder.receipt.exists() else None,
        ),
        alive=False,
    )
    give_to_owner(repository)
    return replace(report, warnings=(*report.warnings, *warnings))


def _payload(journal: Journal, commitment: str) -> bytes | None:
    try:
        return journal.blob(commitment)
    except BlobUnavailable:
        return None


def task_of(story: Story, journal: Journal) -> str:
    """The task's text, or a note that it was erased."""
    try:
        return journal.blob(story.blobs[f"{REQUEST}.task"]).decode("utf-8", "replace")
    except (KeyError, BlobUnavailable):
        return "(erased)"


def _prove(repository: Repository, folder: RunFolder, journal: Journal, story: Story) -> None:
    receipt = receipt_of(journal.events)
    envelope = _envelope(repository, folder, receipt)
    staged = current(story.facts)
    if story.state == Outcome.COMMITTED and staged:
        receipts.attach(repository, staged.commit, receipt, envelope)
        # The branch keeps the commit now.
        drop_ref(repository, staged_ref(folder.run))
    if not any(one.phase == END for one in latest_anchors(repository, folder.run, back_to=START)):
        anchor_now(repository, journal, END)
    if not folder.receipt.exists() or folder.receipt.read_bytes() != receipt:
        write_mark(folder.receipt, receipt)


def _envelope(repository: Repository, folder: RunFolder, receipt: bytes) -> bytes | None:
    """The signed envelope, where the user signs with an SSH key; made once."""
    if folder.envelope.exists():
        return folder.envelope.read_bytes()
    made = sign(repository, pae(PAYLOAD_TYPE, receipt))
    if isinstance(made, NotSigned):
        return None
    envelope = Envelope(
        payload_type=PAYLOAD_TYPE,
        payload=receipt,
        signatures=(Signature(keyid=made.fingerprint, sig=made.signature),),
    ).to_bytes()
    write_atomically(folder.envelope, envelope, durable=True)
    return envelope
