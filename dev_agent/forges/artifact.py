"""What `issue propose` hands to `issue publish`: a folder that travels between two jobs, and is believed by nobody.

    request.json    which request of which repository this is for, the base, and what went wrong if there is no run
    result.json     the report of the run, for people; never read back
    change.patch    the change; empty if there is none
    run/            a copy of the run's folder: trace, payloads, receipt

Written beside its place and renamed, so that a killed job leaves either the whole folder or one with another name.

Reading it is reading what an attacker may have written: regular files only, bounded in number and size, no link
followed. Its receipt and chain have to hold (`programs.verify`), the patch has to be the one the trace commits to,
and the base the one the run began with. That proves the folder consistent, not honest: whoever can write one can
write a consistent one. So its verdict is used to tell people why there is no change, and never to publish one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.forges.shapes import Shape, ShapeError
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.proof import Mark
from dev_agent.programs.runs import read_run
from dev_agent.programs.verify import verify_file
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.report import RunReport

FORMAT = "dev-agent/issue/v1"
MAX_FILES = 20_000
MAX_BYTES = 512 * 1024 * 1024
_MAX_REQUEST = 64 * 1024
_REQUEST, _RESULT, _PATCH, _RUN = "request.json", "result.json", "change.patch", "run"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z|\Z")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """What an artifact is for. `digest` is the trigger's; `base` is empty and `failure` told if no run came about."""

    repository: str
    issue: int
    key: str
    digest: str
    branch: str
    base: str
    run: str
    failure: str = ""
    advice: str = ""

    def to_json(self) -> dict[str, Any]:
        """The content of request.json."""
        return {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def from_json(cls, data: object) -> Handover:
        """The inverse. Raises ShapeError."""
        shape = Shape.of(data, "request")
        if shape.text("format") != FORMAT:
            raise ShapeError(f"its format is not {FORMAT}")
        made = cls(
            issue=shape.number("issue"),
            **{name: shape.text(name) for name in cls.__slots__ if name != "issue"},
        )
        if not _COMMIT.match(made.base) or (made.run and not _RUN_ID.match(made.run)):
            raise ShapeError("its base or its run is not an id")
        return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """An artifact that holds together. `report` is what its trace tells; None if there was no run."""

    handover: Handover
    patch: bytes
    report: RunReport | None


def write_artifact(
    folder: Path, handover: Handover, *, report: RunReport | None, run: RunFolder | None
) -> None:
    """Make the folder. Raises UsageFault if something is there already.

    Order: everything into a folder beside it → rename. Killed before the rename the place is free.
    """
    require_free(folder)
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    made.mkdir(parents=True)
    patch = b""
    if run is not None:
        patch = read_run(run).patch
        shutil.copytree(run.path, made / _RUN / run.run, symlinks=True, ignore=shutil.ignore_patterns("lock"))
    (made / _PATCH).write_bytes(patch)
    result = report.to_json() if report is not None else {"outcome": "failed", "reason": handover.failure}
    (made / _RESULT).write_bytes(json.dumps(result, indent=2).encode("ascii"))
    (made / _REQUEST).write_bytes(json.dumps(handover.to_json(), indent=2).encode("ascii"))
    if folder.is_dir():
        folder.rmdir()
    made.rename(folder)


def require_free(folder: Path) -> None:
    """Refuse a place that holds something, before any work was done for it. Raises UsageFault."""
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        raise UsageFault(
            f"{folder} is there already", hint="name a folder that is not there, or an empty one"
        )


def read_artifact(folder: Path) -> Artifact:
    """The artifact in `folder`, if it holds together. Raises UsageFault that says what does not."""
    try:
        require_bounded(folder)
        handover = Handover.from_json(json.loads(_bytes(folder / _REQUEST, _MAX_REQUEST)))
        patch = _bytes(folder / _PATCH, MAX_BYTES)
        report = _proved(folder / _RUN, handover, patch) if handover.run else None
    except (OSError, ValueError, RecursionError, RuntimeFault) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageFault(
            f"the artifact cannot be used: {said}"[:500],
            hint="make a new one: run the job with `dev-agent issue propose` again",
        ) from error
    return Artifact(handover=handover, patch=patch, report=report)


def _proved(runs: Path, handover: Handover, patch: bytes) -> RunReport:
    """What the run's trace tells, once its proof holds and it is the run of this patch on this base."""
    folder = runs / handover.run
    proof = verify_file(folder, None)
    wanted = {"chain", "receipt"}
    held = {check.name for check in proof.checks if check.mark is Mark.OK}
    bad = next((check for check in proof.checks if check.mark is Mark.BAD), None)
    if bad is not None or not wanted <= held:
        said = (
            f"{bad.name}: {bad.detail}" if bad else f"{', '.join(sorted(wanted - held))} could not be checked"
        )
        raise ValueError(f"its proof does not hold: {said}")
    record = read_run(RunFolder(run=handover.run, path=folder))
    if record.report.run != handover.run or record.report.base != handover.base:
        raise ValueError("its run is another one, or began from another commit, than it says")
    if record.patch != patch:
        raise ValueError("its patch is not the one its trace commits to")
    return record.report


def require_bounded(folder: Path) -> None:
    """Refuse what we never make: neither file nor folder, too many, too large. Raises ValueError and OSError."""
    size = 0
    for files, entry in enumerate(_entries(folder), start=1):
        found = entry.stat(follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
            raise ValueError("it holds something that is neither a file nor a folder")
        size += found.st_size if stat.S_ISREG(found.st_mode) else 0
        if files > MAX_FILES or size > MAX_BYTES:
            raise ValueError("it is larger than any we make")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))


def _bytes(path: Path, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path.name} is too large")
    return data
