"""The runs of a repository as rows, read once each and then remembered by size and time of their traces.

The memory is one file below the cache, written whole by rename: killed at any line, the old one stands, and rows that
are missing are read again. A run that has not ended is read anew every time, since whether somebody drives it stands in
no file. A row of a run that cannot be read says so, and hides nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.programs.folders import TRACE, RunFolder, all_runs
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import DAMAGED, read_run
from dev_agent.programs.story import program_of, told
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.files import write_atomically
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_FORMAT = "console-1"
_OPEN = frozenset(
    {Outcome.RUNNING.value, Outcome.SUSPENDED.value, Outcome.KEPT.value, Outcome.INTERRUPTED.value}
)
_LONGEST = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One run. `cost` are whole numbers by kind, milliseconds among them; `size` and `changed` are its trace's."""

    run: str
    started: str = ""
    task: str = ""
    outcome: str = DAMAGED
    reason: str = ""
    commit: str | None = None
    files: int = 0
    program: str = ""
    proposer: str = ""
    cost: dict[str, int] = field(default_factory=dict)
    size: int = 0
    changed: int = 0

    @property
    def ms(self) -> int:
        """How long it took."""
        return int(self.cost.get("ms", 0))


class RunIndex:
    """The rows of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._path = repository.state_dir / "cache" / "console" / "runs.json"

    def rows(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> tuple[Row, ...]:
        """All rows, newest first; `progress` hears how many of those that had to be read are."""
        folders = all_runs(self._repository)
        known = self._known()
        stamps = {folder.run: _stamp(folder.path / TRACE) for folder in folders}
        stale = [folder for folder in folders if _is_stale(known.get(folder.run), stamps[folder.run])]
        for done, folder in enumerate(stale):
            progress(done, len(stale))
            known[folder.run] = _row(folder, stamps[folder.run])
        kept = {folder.run: known[folder.run] for folder in folders}
        if stale or len(kept) != len(known):
            self._remember(kept.values())
        return tuple(kept.values())

    def _known(self) -> dict[str, Row]:
        try:
            value = json.loads(self._path.read_bytes())
            names = {one.name for one in fields(Row)}
            if value["format"] != _FORMAT:
                return {}
            rows = [Row(**{key: item for key, item in one.items() if key in names}) for one in value["rows"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
        return {row.run: row for row in rows}

    def _remember(self, rows: Iterable[Row]) -> None:
        data = {"format": _FORMAT, "rows": [asdict(row) for row in rows]}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(data).encode(), durable=False)
        except (OSError, RuntimeFault):
            return  # a repository that cannot be written is looked at all the same, only slower


def _stamp(trace: Path) -> tuple[int, int]:
    try:
        status = os.lstat(trace)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _is_stale(row: Row | None, stamp: tuple[int, int]) -> bool:
    return row is None or (row.size, row.changed) != stamp or row.outcome in _OPEN


def _row(folder: RunFolder, stamp: tuple[int, int]) -> Row:
    size, changed = stamp
    try:
        record = read_run(folder)
        report = record.report
        cost: dict[str, Any] = dict(report.cost)
        return Row(
            run=folder.run,
            started=record.started,
            task=report.task[:_LONGEST],
            outcome=report.outcome.value,
            reason=report.reason,
            commit=report.commit if report.outcome is Outcome.COMMITTED else None,
            files=len(report.files),
            program=program_of(told(read_trace(folder.path))),
            proposer=report.proposer,
            cost={key: value for key, value in cost.items() if type(value) is int},
            size=size,
            changed=changed,
        )
    except (RuntimeFault, OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        # A foreign or future trace can be malformed in every way there is.
        return Row(run=folder.run, reason=str(fault)[:_LONGEST], size=size, changed=changed)
