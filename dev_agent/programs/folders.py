"""Where runs live: `<common dir>/dev-agent/runs/<run>/`, one folder each, and which of them are being driven.

A run's folder holds its trace, blobs, receipt and lock. Whether somebody drives it is asked of the lock, which
the kernel drops when its holder dies; nothing is decided by a file's mere presence.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

RECEIPT = "receipt.json"
ENVELOPE = "receipt.dsse.json"
TRACE = "trace.jsonl"
ANSWERS = "answers"
"""Answers of a model that are not on record yet (`proposers.remembering`); a run that has ended has none."""
_LAST = "last"
_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """One run's folder."""

    run: str
    path: Path

    @property
    def receipt(self) -> Path:
        """Where its receipt lies once it has one."""
        return self.path / RECEIPT

    @property
    def envelope(self) -> Path:
        """Where the signed envelope of the receipt lies if it is signed."""
        return self.path / ENVELOPE

    @property
    def is_driven(self) -> bool:
        """True if some process holds the run's journal."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def runs_dir(repository: Repository) -> Path:
    """The folder of all runs; it may not exist yet."""
    return repository.state_dir / "runs"


def has_begun(folder: Path) -> bool:
    """Whether a run's folder holds a trace. An empty one is what a power loss leaves of a name without its bytes."""
    try:
        return (folder / TRACE).stat().st_size > 0
    except OSError:
        return False


def all_runs(repository: Repository) -> tuple[RunFolder, ...]:
    """Every run that has a trace, newest first (ids sort by time). What lies in its place may be no file at all:
    that is damage for whoever reads it, not a run that never was."""
    folder = runs_dir(repository)
    names = sorted((entry.name for entry in os.scandir(folder)), reverse=True) if folder.is_dir() else []
    return tuple(
        RunFolder(run=name, path=folder / name) for name in names if os.path.lexists(folder / name / TRACE)
    )


def find_run(repository: Repository, text: str) -> RunFolder:
    """The run whose id is `text` or begins with it; `last` is the newest. Raises UsageFault naming candidates."""
    runs = all_runs(repository)
    if not runs:
        raise UsageFault(
            "this repository has no runs yet", hint="make one with: dev-agent apply TASK --patch FILE"
        )
    if text == _LAST:
        return runs[0]
    exact = [run for run in runs if run.run == text]
    found = exact or [run for run in runs if text and (run.run.startswith(text) or run.run.endswith(text))]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(run.run for run in (found or runs)[:_SHOWN])
    if found:
        raise UsageFault(f"{len(found)} runs match {text!r}", hint=f"say which: {listed}")
    raise UsageFault(f"there is no run {text!r}", hint=f"the newest are: {listed}")
