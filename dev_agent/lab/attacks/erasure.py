"""The attack of somebody who reads every file after an erasure: is a person's name still anywhere?"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.disarm import without
from dev_agent.lab.ground import replacing
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.proof import Mark
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.trace import Journal

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from dev_agent.lab.ground import Ground

_PERSON = b"Jane Roe, born 1984-05-06"


def _gdpr_erase(ground: Ground) -> Strike:
    """A refused proposal names a person. Its payloads are erased; then every file of the state folder is searched."""
    patch = replacing("notes.txt", f"not there: {_PERSON.decode()}\n", f"{_PERSON.decode()}\n")
    folder = ground.run_folder(ground.apply(patch).run)
    state = ground.repository().state_dir
    with Journal.open(folder.path, SystemClock()) as journal:
        named = [
            blob.commitment
            for event in journal.events
            for blob in event.blobs
            if _PERSON in journal.blob(blob.commitment)
        ]
        sought = {_PERSON, *((folder.path / "salts" / one).read_bytes() for one in named)}
        before, known = _digest(state), _holding(state, sought)
        for commitment in named:
            journal.erase(commitment, "the person asked for it")
    left = _holding(state, sought)
    found = verify_run(ground.repository(), folder)
    bad = [check.name for check in found.checks if check.mark is Mark.BAD]
    return Strike(
        stopped=bool(known) and not left and found.ok,
        by=f"{len(named)} payloads and their salts erased; the chain of {found.events} events still verifies",
        detail=f"{len(left)} of {len(known)} files with the name or a salt are left"
        + "".join(f"; bad: {one}" for one in bad),
        before=before,
        after=_digest(state),
        metrics={
            "payloads": len(named),
            "files_before": len(known),
            "files_left": len(left),
            "bad_checks": len(bad),
        },
    )


def _holding(folder: Path, sought: Collection[bytes]) -> list[Path]:
    """The files in which any of these byte strings stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(one in path.read_bytes() for one in sought)]


def _digest(folder: Path) -> str:
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


ERASURE_ATTACKS = (
    Attack(
        name="gdpr_erase",
        attempt="find a person's name, or a salt to guess it with, in any file after its erasure",
        defence="payloads lie beside the trace and are deleted with their salts (runtime/blobs.py: erase)",
        strike=_gdpr_erase,
        disarm=without("dev_agent.runtime.blobs:Blobs.erase", lambda *_: None),
        word="TOMBSTONED",
    ),
)
