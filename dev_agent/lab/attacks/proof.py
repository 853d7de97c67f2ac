"""Attacks on the proof: receipts and traces changed after the fact, by somebody who can write every file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.disarm import without
from dev_agent.lab.ground import HARMLESS, LANDS_ANYTHING
from dev_agent.programs.proof import Check, Mark, VerifyReport
from dev_agent.programs.receipt import receipt_of
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.events import Event, genesis, new_event
from dev_agent.runtime.trace import read_trace

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground
    from dev_agent.programs.folders import RunFolder

_REFUSES_IT = LANDS_ANYTHING + '[scope]\ndeny = ["notes.txt"]\n'


def _corrupt_receipt(ground: Ground) -> Strike:
    """A receipt that says the tests passed, where none ran."""
    folder = ground.run_folder(ground.apply(HARMLESS, policy=LANDS_ANYTHING).run)
    before = _proof(folder)
    forged = json.loads(folder.receipt.read_bytes())
    forged["predicate"]["gates"] = [{"name": "pytest", "result": "PASSED", "passedCount": 4_000}]
    folder.receipt.write_bytes(json.dumps(forged, sort_keys=True, separators=(",", ":")).encode())
    return _verified(ground, folder, before, "the forged gate")


def _forged_chain(ground: Ground) -> Strike:
    """The reasons for a refusal are taken out; every hash after them is computed anew, and so is the receipt."""
    folder = ground.run_folder(ground.apply(HARMLESS, policy=_REFUSES_IT).run)
    before = _proof(folder)
    events = read_trace(folder.path)
    _write(folder, _rechained(events, _without_denials))
    folder.receipt.write_bytes(receipt_of(read_trace(folder.path)))
    changed = sum(one.hash != two.hash for one, two in zip(events, read_trace(folder.path), strict=True))
    return _verified(ground, folder, before, "the refusal rewritten", {"rehashed": changed})


def _truncated_trace(ground: Ground) -> Strike:
    """The end of a refused run is cut off between two events, as if policy had not been asked yet."""
    folder = ground.run_folder(ground.apply(HARMLESS, policy=_REFUSES_IT).run)
    before = _proof(folder)
    lines = folder.path.joinpath("trace.jsonl").read_bytes().splitlines(keepends=True)
    judged = next(event.seq for event in read_trace(folder.path) if event.data.get("state") == "check_policy")
    _write(folder, lines[:judged])
    folder.receipt.unlink()
    return _verified(ground, folder, before, "the cut", {"cut": len(lines) - judged})


def _proof(folder: RunFolder) -> str:
    """Digest of the trace and the receipt."""
    digest = sha256((folder.path / "trace.jsonl").read_bytes())
    digest.update(folder.receipt.read_bytes() if folder.receipt.exists() else b"")
    return digest.hexdigest()


def _verified(
    ground: Ground, folder: RunFolder, before: str, forgery: str, metrics: Mapping[str, int] | None = None
) -> Strike:
    """What `dev-agent verify` makes of the run now."""
    found: VerifyReport = verify_run(ground.repository(), folder)
    bad = [check for check in found.checks if check.mark is Mark.BAD]
    return Strike(
        stopped=not found.ok,
        by="; ".join(f"{check.name}: {check.detail}" for check in bad),
        detail=f"verify {'found' if bad else 'did not find'} {forgery}",
        before=before,
        after=_proof(folder),
        metrics={"checks": len(found.checks), "bad": len(bad), **(metrics or {})},
    )


def _write(folder: RunFolder, lines: Sequence[bytes]) -> None:
    (folder.path / "trace.jsonl").write_bytes(b"".join(lines))


def _rechained(events: Sequence[Event], edit: Callable[[str, Any], Any]) -> list[bytes]:
    """The lines of the same events with edited data, each bound to the one before as if it had always been so."""
    lines: list[bytes] = []
    prev = genesis(events[0].run, events[0].data["binding"])  # type: ignore[arg-type] # as it was read
    for event in events:
        made, line = new_event(
            run=event.run,
            seq=event.seq,
            prev=prev,
            type=event.type,
            at=event.at,
            actor=event.actor,
            data=edit(event.type, thaw(event.data)),
            blobs=event.blobs,
        )
        lines.append(line)
        prev = made.hash
    return lines


def _without_denials(_type: str, data: Any) -> Any:
    if data.get("state") == "check_policy" and "data" in data:
        data["data"] |= {"verdict": "allow", "findings": [], "reason": "", "explanation": ""}
    return data


def _believed(name: str, *_: object) -> Check:
    return Check(name=name, mark=Mark.OK, detail="believed")


_NO_ANCHORS = without("dev_agent.programs.verify:anchors_of", lambda *_: ())

PROOF_ATTACKS = (
    Attack(
        name="corrupt_receipt",
        attempt="write a verdict into the receipt of a landed run that no gate gave",
        defence="receipts are recomputed from the trace (programs/receipt_proof.py)",
        strike=_corrupt_receipt,
        disarm=without("dev_agent.programs.receipt_proof:compared", _believed),
        word="HASH_FAILURE",
    ),
    Attack(
        name="forged_chain",
        attempt="take the reasons for a refusal out of a trace, and make every later hash and the receipt fit",
        defence="the trace's head is anchored in a ref (repository/anchors.py)",
        strike=_forged_chain,
        disarm=_NO_ANCHORS,
        word="HASH_FAILURE",
    ),
    Attack(
        name="truncated_trace",
        attempt="cut the refusal off the end of a trace, between two events",
        defence="the trace's length is anchored in a ref (repository/anchors.py)",
        strike=_truncated_trace,
        disarm=_NO_ANCHORS,
        word="HASH_FAILURE",
    ),
)
