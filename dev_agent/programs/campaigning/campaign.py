"""Beginning a campaign, taking one up again, and how it stands.

Order of a new one: the list and the words are whole and make sense (errors up to here leave nothing) → journal with the
request → the campaign is driven. Order of taking up: the journal's lock (one process drives a campaign) → its state
from its trace → the event that says so → it is driven.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.campaigning import record
from dev_agent.programs.campaigning.driver import Driver, Hands, Standstill, Watcher
from dev_agent.programs.campaigning.events import Opened, Restarted
from dev_agent.programs.campaigning.listing import Entry, only
from dev_agent.programs.campaigning.model import GOOD, UNJUDGED, CampaignState, Fate, Phase, Row
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.spending import Spending
from dev_agent.runtime.trace import Journal
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.campaigning.work import Job

_REJECTED, _UNJUDGED, _INTERRUPTED = 1, 3, 130

HandsFor = Callable[[Path, "Job", bytes, bool], Hands]
"""Makes the hands of a campaign: from its folder, its job, its patch, and whether it publishes. Raises UsageFault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """How a campaign is driven this time. `only` are patterns of names; `retry`: rows that did not end well again."""

    jobs: int = 2
    limits: Spending = field(default_factory=Spending)
    publish: bool = False
    only: tuple[str, ...] = ()
    retry: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignReport:
    """How a campaign ended, or where it stopped."""

    campaign: str
    folder: Path
    job: Job
    state: CampaignState
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0 all good · 1 some are not · 3 some could not be judged, or were left for another time · 130 stopped."""
        if self.interrupted:
            return _INTERRUPTED
        fates = {fate_of(row) for row in self.state.rows}
        if None in fates or fates & UNJUDGED:
            return _UNJUDGED
        return 0 if fates <= GOOD else _REJECTED

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        used = self.state.used
        return {
            "campaign": self.campaign,
            "folder": str(self.folder),
            "task": self.job.task,
            "dry_run": self.job.dry_run,
            "finished": self.state.finished,
            "interrupted": self.interrupted,
            "elapsed_ms": self.state.elapsed_ms,
            "limits": self.state.limits.to_json(),
            "used": {"model_calls": used.model_calls, "tokens": used.tokens, "money": used.money},
            "repositories": [_row_json(row, self) for row in self.state.rows],
            "exit_code": self.exit_code,
        }


def fate_of(row: Row) -> Fate | None:
    """The row's fate, None while it has none."""
    return row.fate if row.phase is Phase.DECIDED else None


def begin_campaign(
    folder: Path,
    job: Job,
    entries: tuple[Entry, ...],
    patch: bytes,
    use: Use,
    *,
    hands_for: HandsFor,
    watcher: Watcher,
    cancel: Cancel,
) -> CampaignReport:
    """A new campaign in the folder of campaigns, driven.

    Raises UsageFault and JournalFailed before it exists; EnvironmentFault if it stopped because it could work nowhere.
    """
    chosen = _chosen([one.name for one in entries], use.only)
    entries = tuple(entries[number] for number in chosen)
    event = Opened(
        names=tuple(one.name for one in entries),
        chosen=tuple(range(len(entries))),
        jobs=use.jobs,
        limits=use.limits,
        publish=use.publish and not job.dry_run,
    )
    with record.create(folder, job, entries, patch) as journal:
        driver = _driver(
            journal, entries, hands_for(journal.folder, job, patch, event.publish), watcher, cancel
        )
        return _report(journal, job, driver.begin(event), driver)


def resume_campaign(
    folder: Path,
    name: str,
    use: Use,
    *,
    jobs: int | None,
    hands_for: HandsFor,
    watcher: Watcher,
    cancel: Cancel,
) -> CampaignReport:
    """Go on with a campaign. Limits that `use` names replace the old ones; publishing can only be added.

    Raises UsageFault, EnvironmentFault for a trace that is damaged or if it stopped because it could work nowhere,
    JournalBusy if another process drives it.
    """
    with record.take_up(folder, record.find(folder, name)) as journal:
        known = record.told(journal.run, journal.events)
        if known.state is None:
            raise EnvironmentFault(
                f"campaign {journal.run} died before it had begun", hint="nothing was done; begin it anew"
            )
        event = Restarted(
            chosen=_chosen([row.name for row in known.state.rows], use.only),
            jobs=known.state.jobs if jobs is None else jobs,
            limits=replace(known.state.limits, **use.limits.to_json()),
            publish=(known.state.publish or use.publish) and not known.job.dry_run,
            retry=use.retry,
        )
        hands = hands_for(journal.folder, known.job, record.patch_of(journal), event.publish)
        driver = _driver(journal, known.entries, hands, watcher, cancel)
        return _report(journal, known.job, driver.go_on(known.state, event), driver)


def _chosen(names: Sequence[str], patterns: Sequence[str]) -> tuple[int, ...]:
    return only(names, patterns) if patterns else tuple(range(len(names)))


def _driver(
    journal: Journal, entries: tuple[Entry, ...], hands: Hands, watcher: Watcher, cancel: Cancel
) -> Driver:
    return Driver(
        journal=journal, entries=entries, hands=hands, clock=SystemClock(), cancel=cancel, watcher=watcher
    )


def _report(journal: Journal, job: Job, state: CampaignState, driver: Driver) -> CampaignReport:
    if driver.standstill is not None:
        raise _at_a_standstill(journal.run, state, driver.standstill)
    return CampaignReport(
        campaign=journal.run, folder=journal.folder, job=job, state=state, interrupted=driver.interrupted
    )


def _at_a_standstill(campaign: str, state: CampaignState, fault: Standstill) -> EnvironmentFault:
    decided = sum(row.phase is Phase.DECIDED for row in state.rows)
    remedy = f"{fault.hint}; then" if fault.hint else "mend that, then"
    return EnvironmentFault(
        f"the campaign stopped, with {decided} of {len(state.rows)} repositories decided: {fault.message}",
        hint=f"{remedy} go on, with the options of this use: dev-agent campaign --resume --campaign {campaign}. "
        "What landed stays, and nothing is done twice",
    )


def _row_json(row: Row, report: CampaignReport) -> dict[str, Any]:
    fate = fate_of(row)
    would = report.job.dry_run and row.fate is Fate.VERIFIED
    return {
        "name": row.name,
        "phase": row.phase.value,
        "fate": fate.value if fate else None,
        "reason": row.why,
        "folder": row.place or None,
        "run": row.run or None,
        "branch": row.branch or None,
        "base": row.base or None,
        "commit": row.commit or None,
        "pull_request": row.pull or None,
        **({"would_land_on": row.branch} if would else {}),
        "used": {
            "model_calls": row.before.model_calls + row.used.model_calls,
            "tokens": row.before.tokens + row.used.tokens,
            "money": row.before.money + row.used.money,
        },
    }
