"""Holding the receipts of a run against the one its trace gives, and the signature against the known signers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.programs.proof import Check, Mark
from dev_agent.repository.signing import Trust
from dev_agent.repository.signing import verify as verify_signature
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.receipt import Envelope, pae

if TYPE_CHECKING:
    from dev_agent.programs.folders import RunFolder
    from dev_agent.repository.discovery import Repository


def stored_receipt(folder: RunFolder, receipt: bytes) -> Check:
    """Is the run's own receipt what its trace gives?"""
    if not folder.receipt.is_file():
        return Check(
            name="receipt", mark=Mark.UNCHECKED, detail="not written yet; dev-agent recover writes it"
        )
    return compared("receipt", folder.receipt.read_bytes(), receipt, folder)


def compared(name: str, found: bytes, receipt: bytes, folder: RunFolder) -> Check:
    """Are these bytes the receipt that the trace gives, or the envelope around it?"""
    if found == receipt:
        return Check(name=name, mark=Mark.OK, detail="recomputed from the trace, byte for byte the same")
    if folder.envelope.is_file() and found == folder.envelope.read_bytes():
        return Check(name=name, mark=Mark.OK, detail="the run's signed envelope")
    return Check(name=name, mark=Mark.BAD, detail="not what the trace gives")


def signature(folder: RunFolder, repository: Repository | None, receipt: bytes) -> Check:
    """Did somebody the repository knows sign this receipt?"""
    if not folder.envelope.is_file():
        return Check(name="signature", mark=Mark.UNCHECKED, detail="not signed")
    try:
        envelope = Envelope.from_bytes(folder.envelope.read_bytes())
    except RuntimeFault as fault:
        return Check(name="signature", mark=Mark.BAD, detail=fault.message)
    if envelope.payload != receipt or not envelope.signatures:
        return Check(name="signature", mark=Mark.BAD, detail="the envelope holds another receipt")
    if repository is None:
        return Check(
            name="signature", mark=Mark.UNCHECKED, detail="no repository here, so no signers are known"
        )
    checked = verify_signature(
        repository, pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
    )
    marks = {Trust.TRUSTED: Mark.OK, Trust.BAD: Mark.BAD}
    said = (
        f"by {checked.principal} {checked.fingerprint}" if checked.trust is Trust.TRUSTED else checked.reason
    )
    return Check(name="signature", mark=marks.get(checked.trust, Mark.UNCHECKED), detail=said)
