"""Attacks on the proof: receipts and traces changed after the fact, by somebody who can write every file."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.disarm import without
from dev_agent.lab.ground import HARMLESS, LANDS_ANYTHING
from dev_agent.programs.verify import Check, Mark, verify_run

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground


def _corrupt_receipt(ground: Ground) -> Strike:
    """A receipt that says the tests passed, where none ran."""
    report = ground.apply(HARMLESS, policy=LANDS_ANYTHING)
    folder = ground.run_folder(report.run)
    honest = folder.receipt.read_bytes()
    forged = json.loads(honest)
    forged["predicate"]["gates"] = [{"name": "pytest", "result": "PASSED", "passedCount": 4_000}]
    folder.receipt.write_bytes(json.dumps(forged, sort_keys=True, separators=(",", ":")).encode())

    found = verify_run(ground.repository(), folder)

    bad = [check for check in found.checks if check.mark is Mark.BAD]
    return Strike(
        stopped=not found.ok,
        by="; ".join(f"{check.name}: {check.detail}" for check in bad),
        detail=f"verify {'found' if bad else 'did not find'} the forged gate",
        before=sha256(honest).hexdigest(),
        after=sha256(folder.receipt.read_bytes()).hexdigest(),
        metrics={"checks": len(found.checks), "bad": len(bad)},
    )


def _believed(name: str, *_: object) -> Check:
    return Check(name=name, mark=Mark.OK, detail="believed")


PROOF_ATTACKS = (
    Attack(
        name="corrupt_receipt",
        attempt="write a verdict into the receipt of a landed run that no gate gave",
        defence="receipts are recomputed from the trace (programs/verify.py)",
        strike=_corrupt_receipt,
        disarm=without("dev_agent.programs.verify:_compared", _believed),
        word="HASH_FAILURE",
    ),
)
