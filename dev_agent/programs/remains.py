"""Where a text still is: in the state folder, in traces, in git's objects. Reads only.

A text is looked for as it is and as JSON writes it. Not looked for: other encodings, compressed copies outside git,
the user's own files, and what somebody copied elsewhere (an exported page, a log of a terminal).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dev_agent.programs.folders import RECEIPT, TRACE, RunFolder
from dev_agent.repository.object_search import TooMuch, objects_holding
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Remain:
    """A place that still holds the text, and what could be done about it."""

    place: str
    remedy: str


def forms_of(text: str) -> tuple[bytes, ...]:
    """The bytes a text is looked for as."""
    raw = text.encode("utf-8", "surrogateescape")
    escaped = [json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return tuple(dict.fromkeys([raw, *(one.encode("utf-8", "surrogatepass") for one in escaped)]))


def holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether a regular file holds one of them; one that cannot be read is said to."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(needle in content for needle in needles)


def files_holding(folder: Path, needles: Sequence[bytes]) -> tuple[Path, ...]:
    """Every file below a folder that holds one of them."""
    return tuple(sorted(path for path in folder.rglob("*") if holds(path, needles)))


def any_holds(path: Path, needles: Sequence[bytes]) -> bool:
    """Whether a file, or any file below a folder, holds one of them."""
    return holds(path, needles) or any(holds(below, needles) for below in path.rglob("*"))


def remains_in_run(folder: RunFolder, needles: Sequence[bytes]) -> Iterator[Remain]:
    """What of the run's own folder cannot be taken out: its chain's lines, and what is computed from them."""
    trace = folder.path / TRACE
    for number, line in enumerate(trace.read_bytes().splitlines(), 1) if trace.is_file() else ():
        if any(needle in line for needle in needles):
            yield Remain(
                place=f"line {number} of the trace of {folder.run}",
                remedy="a line cannot be erased without breaking the proof; drop the whole run with: "
                f"dev-agent prune --run {folder.run} --yes",
            )
    for path in files_holding(folder.path, needles):
        if path.name == RECEIPT or (path != trace and path.parent == folder.path):
            yield Remain(place=f"{path.name} of {folder.run}", remedy="it is computed from the trace's lines")


def remains_in_state(repository: Repository, run: str, needles: Sequence[bytes]) -> Iterator[Remain]:
    """What else of the state folder holds the text, this run's folder left out."""
    state = repository.state_dir
    for path in files_holding(state, needles):
        parts = path.relative_to(state).parts
        if parts[:2] == ("runs", run):
            continue
        if parts[0] == "runs" and len(parts) > 2:
            what = "a payload" if parts[2] == "blobs" else parts[2]
            yield Remain(place=f"{what} of run {parts[1]}", remedy=f"dev-agent erase {parts[1]} --match …")
        else:
            yield Remain(
                place="/".join(parts), remedy="somebody uses it now; erase again when they have ended"
            )


def remains_in_git(repository: Repository, needles: Sequence[bytes]) -> Iterator[Remain]:
    """Git's objects: commits of the user's branches, and what nothing names any more until git collects it."""
    try:
        found = objects_holding(repository, needles)
    except TooMuch as much:
        yield Remain(
            place=f"git's objects were not searched: {much}", remedy="search them with: git log -S TEXT --all"
        )
        return
    if found:
        named = ", ".join(one[: one.index(" ") + 13] for one in found[:_MOST_NAMED])
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        yield Remain(
            place=f"git objects: {named}{more}",
            remedy="what a branch names stays until its history is rewritten; "
            "what nothing names goes with: git gc --prune=now",
        )
