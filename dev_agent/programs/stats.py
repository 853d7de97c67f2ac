"""Numbers over runs: how they ended, where time and cost went, how healthy they were. Reads traces, changes nothing.

Runs are grouped by the digest of their program, since only runs of one graph can be compared. A run whose program is
none of the shipped ones of this version is measured all the same, without what needs the graph. A trace that cannot
be read, or that is not of this form, is named in a warning and left out; it never hides the others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.programs.builtin import BUILTIN, builtin_program
from dev_agent.programs.conclusion import Places, report_of
from dev_agent.programs.folders import TRACE, RunFolder, all_runs, find_run
from dev_agent.programs.period import Period, is_period, period_of
from dev_agent.programs.spending import program_of_run
from dev_agent.programs.standing import outcome_of
from dev_agent.programs.story import Story, told
from dev_agent.runtime.drift import Fleet, fleet_of
from dev_agent.runtime.errors import JournalFailed, RuntimeFault
from dev_agent.runtime.fold import BRANCH_LEFT
from dev_agent.runtime.health import Alarm, RunHealth, health_of
from dev_agent.runtime.trace import read_trace
from dev_agent.runtime.walk import Walk, walk_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.events import Event
    from dev_agent.runtime.program import Program

_FOREIGN = (RuntimeFault, OSError, KeyError, TypeError, ValueError, AttributeError)
"""What reading a trace of another kind can raise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatsRequest:
    """Which runs: named ones (ids, beginnings, `last`, or run folders), or all since a date or an age.

    `baseline` names runs in the same words, or periods as SINCE..UNTIL. Unless they are named, its runs are not
    measured themselves.
    """

    runs: tuple[str, ...] = ()
    since: str | None = None
    baseline: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GateTimes:
    """One branch of a parallel state over all runs: `state.branch`, how often it ran, how it ended, milliseconds."""

    name: str
    count: int
    outcomes: Mapping[str, int]
    ms: int
    longest_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StateCosts:
    """One state over all runs: how often it was left, milliseconds in it, and what its actions counted."""

    state: str
    count: int
    ms: int
    cost: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStats:
    """One run. `outcome` is how it stands, `reason` why."""

    run: str
    started: str
    outcome: str
    reason: str
    ms: int
    health: RunHealth


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramStats:
    """All runs of one program. `program` is None if its graph is not known here; `baseline` counts runs."""

    name: str
    digest: str
    program: Program | None
    runs: tuple[RunStats, ...]
    gates: tuple[GateTimes, ...]
    states: tuple[StateCosts, ...]
    fleet: Fleet
    baseline: int

    @property
    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """How often each outcome came for each reason, the most frequent first."""
        return dict(Counter((run.outcome, run.reason) for run in self.runs).most_common())

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Every alarm: of the runs, then over all of them."""
        return (*(alarm for run in self.runs for alarm in run.health.alarms), *self.fleet.alarms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stats:
    """The answer: one entry a program, and what could not be counted."""

    programs: tuple[ProgramStats, ...]
    warnings: tuple[str, ...]

    @property
    def alarms(self) -> int:
        """How many alarms there are."""
        return sum(len(one.alarms) for one in self.programs)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Measured:
    name: str
    walk: Walk
    outcome: str
    reason: str
    branches: tuple[tuple[str, str, int], ...]


def stats(repository: Repository | None, request: StatsRequest, *, now: datetime | None = None) -> Stats:
    """Measure runs. Raises UsageFault for a run, an age or a date that is none, JournalFailed if no named one reads."""
    compared = _baseline(repository, request.baseline, now)
    chosen = _chosen(repository, request.runs, period_of(request.since, now=now))
    if not request.runs:
        chosen = [folder for folder in chosen if folder not in compared]
    warnings: list[str] = []
    known = {program.digest: program for program in map(builtin_program, BUILTIN)}
    runs = _grouped(chosen, warnings, known)
    if request.runs and not runs:
        raise JournalFailed("; ".join(warnings), "nothing else was named; see: dev-agent verify RUN")
    baseline = _grouped(compared, warnings, known)
    if request.baseline and not baseline:
        warnings.append("the baseline holds no run that can be read")
    return Stats(
        programs=tuple(
            _program_stats(digest, measured, known.get(digest), baseline.get(digest, []))
            for digest, measured in runs.items()
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _chosen(repository: Repository | None, names: Sequence[str], period: Period) -> list[RunFolder]:
    if names:
        return list(dict.fromkeys(_named(repository, text) for text in names))
    return [folder for folder in all_runs(_needed(repository)) if period.holds(folder)]


def _baseline(repository: Repository | None, names: Sequence[str], now: datetime | None) -> list[RunFolder]:
    found: dict[RunFolder, None] = {}
    for text in names:
        if is_period(text):
            found |= dict.fromkeys(_chosen(repository, (), period_of(text, now=now)))
        else:
            found[_named(repository, text)] = None
    return list(found)


def _named(repository: Repository | None, text: str) -> RunFolder:
    path = Path(text)
    if "/" in text and os.path.lexists(path / TRACE):
        return RunFolder(run=path.resolve().name, path=path)
    return find_run(_needed(repository), text)


def _needed(repository: Repository | None) -> Repository:
    if repository is None:
        from dev_agent.errors import UsageFault  # noqa: PLC0415 - beside its one use

        raise UsageFault("there is no repository here", hint="use -C DIR, or name run folders")
    return repository


def _grouped(
    folders: Iterable[RunFolder], warnings: list[str], known: dict[str, Program]
) -> dict[str, list[_Measured]]:
    groups: dict[str, list[_Measured]] = {}
    for folder in folders:
        try:
            one = _measured(folder, known)
        except _FOREIGN as error:
            said = error.message if isinstance(error, RuntimeFault) else f"{type(error).__name__}: {error}"
            warnings.append(f"{folder.run} is left out: {said}")
        else:
            groups.setdefault(one.walk.program, []).append(one)
    return groups


def _measured(folder: RunFolder, known: dict[str, Program]) -> _Measured:
    alive = folder.is_driven
    events = read_trace(folder.path)
    walk, story = walk_of(events), told(events)
    program = known.get(walk.program) or _with_limits(story, walk.program)
    if program:
        known[walk.program] = program
    named = str(story.request.get("program", "")) if story.request else ""
    name = program.name if program else f"{named or 'program'} {walk.program[:12]}".strip()
    if program or named in BUILTIN:
        outcome = outcome_of(story, alive=alive).value
        reason = report_of(story, task="", places=Places(trace="", receipt=None), alive=alive).reason
    else:
        outcome = story.state if story.finished else ("running" if alive else "unfinished")
        reason = story.reason
    return _Measured(name=name, walk=walk, outcome=outcome, reason=reason, branches=tuple(_branches(events)))


def _with_limits(story: Story, digest: str) -> Program | None:
    """The shipped program with the limits a run was given, if that is what it followed."""
    if str(story.request.get("program", "")) not in BUILTIN:
        return None
    program = program_of_run(story)
    return program if program.digest == digest else None


def _branches(events: Sequence[Event]) -> Iterable[tuple[str, str, int]]:
    for event in events:
        if event.type == BRANCH_LEFT:
            name = f"{event.data['state']}.{event.data['branch']}"
            yield name, str(event.data["outcome"]), int(str(event.data["ms"]))


def _program_stats(
    digest: str, measured: Sequence[_Measured], program: Program | None, baseline: Sequence[_Measured]
) -> ProgramStats:
    walks = [one.walk for one in measured]
    compared = [one.walk for one in baseline]
    return ProgramStats(
        name=measured[0].name,
        digest=digest,
        program=program,
        runs=tuple(
            RunStats(
                run=one.walk.run,
                started=one.walk.started,
                outcome=one.outcome,
                reason=one.reason,
                ms=one.walk.ms.total(),
                health=health_of(one.walk, program=program, baseline=compared),
            )
            for one in measured
        ),
        gates=tuple(_gates(measured)),
        states=tuple(_states(walks)),
        fleet=fleet_of(walks, program=program, baseline=compared),
        baseline=len(compared),
    )


def _gates(measured: Sequence[_Measured]) -> Iterable[GateTimes]:
    times: dict[str, list[tuple[str, int]]] = {}
    for one in measured:
        for name, outcome, ms in one.branches:
            times.setdefault(name, []).append((outcome, ms))
    for name, ended in times.items():
        yield GateTimes(
            name=name,
            count=len(ended),
            outcomes=dict(Counter(outcome for outcome, _ in ended).most_common()),
            ms=sum(ms for _, ms in ended),
            longest_ms=max(ms for _, ms in ended),
        )


def _states(walks: Sequence[Walk]) -> Iterable[StateCosts]:
    left = Counter(edge.source for walk in walks for edge in walk.edges)
    ms: Counter[str] = Counter()
    cost: dict[str, Counter[str]] = {}
    for walk in walks:
        ms.update(walk.ms)
        for state, spent in walk.cost.items():
            cost.setdefault(state, Counter()).update(spent)
    for state in dict.fromkeys([*left, *ms]):
        yield StateCosts(
            state=state,
            count=left[state],
            ms=ms[state],
            cost=dict(sorted(cost.get(state, Counter()).items())),
        )
