"""A campaign's own trace: what it was begun with, and everything that happened to it. State = fold of the trace.

It lies in a folder of campaigns (by default `$XDG_STATE_HOME/dev-agent/campaigns`), because a campaign belongs to no
one repository: `<campaign>/trace.jsonl`, and `<campaign>/clones/` for what had to be cloned. The trace is hash-chained
as a run's and written one process at a time. It is anchored in no repository: what was landed, and on what evidence,
is in the runs' own traces, which are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.campaigning import work
from dev_agent.programs.campaigning.events import Event, from_json
from dev_agent.programs.campaigning.step import fold
from dev_agent.programs.clock import SystemClock, new_run_id
from dev_agent.programs.folders import has_begun
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.trace import Journal, read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.campaigning.listing import Entry
    from dev_agent.programs.campaigning.model import CampaignState
    from dev_agent.programs.campaigning.work import Job
    from dev_agent.runtime.events import Event as TraceEvent

REQUEST, EVENT = "campaign-request", "campaign-event"
_PATCH = "patch"
_LAST = "last"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A campaign as its trace tells it. `state` is None if it died before it had begun."""

    campaign: str
    job: Job
    entries: tuple[Entry, ...]
    state: CampaignState | None


def campaigns_dir(environ: Mapping[str, str]) -> Path:
    """The folder of campaigns by the XDG base directory rules; it may not exist yet."""
    state = environ.get("XDG_STATE_HOME", "")
    root = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return root / "dev-agent" / "campaigns"


def create(folder: Path, job: Job, entries: tuple[Entry, ...], patch: bytes) -> Journal:
    """A new campaign's journal in the folder of campaigns, with its request, to be closed. Raises JournalFailed.

    Killed before the request is durable: a trace without one, which no campaign is taken up from.
    """
    clock = SystemClock()
    name = new_run_id(clock.now())
    journal = Journal.create(folder / name, name, {"program": "campaign"}, clock)
    try:
        blobs = {_PATCH: patch} if job.patched else {}
        journal.append(REQUEST, work.to_json(job, entries), actor="user", blobs=blobs, durable=True)
    except BaseException:
        journal.close()
        raise
    return journal


def take_up(folder: Path, name: str) -> Journal:
    """The journal of a campaign, to go on with and close. Raises JournalBusy, JournalFailed, EnvironmentFault."""
    try:
        return Journal.open(folder / name, SystemClock())
    except TraceCorrupt as damage:
        raise _damaged(folder / name, damage) from damage


def patch_of(journal: Journal) -> bytes:
    """The patch the campaign was begun with. Raises BlobUnavailable."""
    for event in journal.events:
        for blob in event.blobs:
            if event.type == REQUEST and blob.role == _PATCH:
                return journal.blob(blob.commitment)
    return b""


def find(folder: Path, text: str) -> str:
    """The campaign that `text` names: its id, an unambiguous beginning of it, or `last`. Raises UsageFault."""
    names = sorted(one.name for one in folder.iterdir() if has_begun(one)) if folder.is_dir() else []
    if not names:
        raise UsageFault(
            "there is no campaign to go on with", hint='begin one: dev-agent campaign "TASK" --repos FILE'
        )
    if text == _LAST:
        return names[-1]
    found = [name for name in names if name == text] or [
        name for name in names if text and name.startswith(text)
    ]
    if len(found) != 1:
        shown = ", ".join((found or names)[-8:])
        raise UsageFault(
            f"{text[:80]!r} names {'no campaign' if not found else 'more than one campaign'}",
            hint=f"there are: {shown}",
        )
    return found[0]


def read(folder: Path, name: str) -> Recorded:
    """The campaign as its trace tells it now, also while it is being driven. Raises EnvironmentFault, JournalFailed."""
    try:
        return told(name, read_trace(folder / name))
    except TraceCorrupt as damage:
        raise _damaged(folder / name, damage) from damage


def told(name: str, events: Sequence[TraceEvent]) -> Recorded:
    """The campaign that `events` tell of. Raises EnvironmentFault if they tell of none."""
    request: Any = next((thaw(one.data) for one in events if one.type == REQUEST), None)
    happened: list[Event] = [from_json(one.data) for one in events if one.type == EVENT]
    try:
        job, entries = work.from_json(request)
        state = fold(happened)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise EnvironmentFault(
            f"the trace of campaign {name} does not tell of a campaign: {error}",
            hint="it was changed, or it died before it had begun; begin another",
        ) from error
    return Recorded(campaign=name, job=job, entries=entries, state=state)


def _damaged(folder: Path, damage: TraceCorrupt) -> EnvironmentFault:
    return EnvironmentFault(
        f"the trace of campaign {folder.name} is damaged: {damage}",
        hint=f"nothing is begun from it; the runs in the repositories are whole. It lies in {folder}",
    )
