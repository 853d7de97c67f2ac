"""How a hosted run stands, as a value: what a page shows and what a program reads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dev_agent.programs.story import PathStep, Story, told
from dev_agent.runtime.canonical import thaw
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.runtime.events import Event
    from dev_agent.runtime.program import Program

_BUDGET = "budget_"


class Standing(StrEnum):
    """How a hosted run stands. `refused` is an end in a final that says no."""

    FINISHED = "finished"
    REFUSED = "refused"
    OVER_BUDGET = "over_budget"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"


_EXIT = {
    Standing.FINISHED: 0,
    Standing.REFUSED: 1,
    Standing.OVER_BUDGET: 4,
    Standing.WAITING: 5,
    Standing.INTERRUPTED: 130,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedReport:
    """One run. `handle` is what a command takes for it, `state` where it stands.

    `awaited` are the outcomes a waiting state takes, `wanted` the facts that belong to them, with their types.
    """

    run: str
    program: str
    standing: Standing
    state: str
    reason: str
    explanation: str
    folder: str
    handle: str
    events: int
    head: str
    path: tuple[PathStep, ...]
    facts: Mapping[str, Any]
    cost: Mapping[str, int]
    awaited: tuple[str, ...] = ()
    wanted: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 ended well, 1 ended in a refusing final, 4 over a budget, 5 waits, 130 interrupted."""
        return _EXIT[self.standing]

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "run": self.run,
            "program": self.program,
            "outcome": self.standing.value,
            "state": self.state,
            "reason": self.reason,
            "explanation": self.explanation,
            "folder": self.folder,
            "events": self.events,
            "head": self.head,
            "path": [
                {"state": one.state, "attempt": one.attempt, "outcome": one.outcome, "ms": one.ms}
                for one in self.path
            ],
            "facts": thaw(self.facts),
            "cost": dict(self.cost),
            "awaited": list(self.awaited),
            "wanted": dict(self.wanted),
            "notes": list(self.notes),
        }


def report_of(program: Program, events: tuple[Event, ...], folder: Path, default: Path) -> HostedReport:
    """The report of a run of `program` from its trace; in the folder `default` the id is handle enough."""
    story = told(events)
    standing = _standing(program, story)
    waiting = standing is Standing.WAITING
    state = program.states.get(story.state)
    return HostedReport(
        run=story.run,
        program=program.name,
        standing=standing,
        state=story.state,
        reason=story.reason,
        explanation=_explanation(story),
        folder=str(folder),
        handle=story.run if folder.parent == default else str(folder),
        events=len(events),
        head=events[-1].hash,
        path=tuple(story.path),
        facts=story.facts,
        cost=story.cost,
        awaited=tuple(state.on) if waiting and state else (),
        wanted={name: kind.value for name, kind in state.facts.items()} if waiting and state else {},
    )


def _standing(program: Program, story: Story) -> Standing:
    if not story.finished:
        state = program.states.get(story.state)
        return Standing.WAITING if state and state.kind.value == "wait" else Standing.INTERRUPTED
    if story.reason.startswith(_BUDGET):
        return Standing.OVER_BUDGET
    return Standing.REFUSED if program.states[story.state].refuses else Standing.FINISHED


def _explanation(story: Story) -> str:
    """What the last action that failed said about it."""
    last = story.path[-1] if story.path else None
    if last is None or last.outcome != "error":
        return ""
    said = story.facts.get(last.state, {})
    return f"{said.get('type', 'error')} in {last.state}: {said.get('message', '')}".rstrip(": ")
