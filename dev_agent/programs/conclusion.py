"""What a run's story means to the person who started it, as one report. Pure.

How it stands and why, `standing.py` says; what to do next, `advice.py`; what the gates said, `recorded_gates.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.programs.advice import advice_on
from dev_agent.programs.cost import CALLS, MONEY, TOKENS, UNPRICED, Cost
from dev_agent.programs.paths import from_recorded
from dev_agent.programs.places import places_of
from dev_agent.programs.recorded_gates import gates_of, is_environment_fault
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.reproducing import reproduced_in
from dev_agent.programs.staged import current, landing_of
from dev_agent.programs.standing import outcome_of, reason_of
from dev_agent.programs.story import Story, recipe_of
from dev_agent.programs.undoing import undoing_of
from dev_agent.runtime.canonical import thaw
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where a run's files are, for the report; `receipt` is None if there is none yet."""

    trace: str
    receipt: str | None


def report_of(story: Story, *, task: str, places: Places, alive: bool) -> RunReport:
    """The report of a run. `alive` says that some process is driving it now."""
    outcome = outcome_of(story, alive=alive)
    reason = reason_of(story, outcome)
    staged = current(story.facts)
    landed = landing_of(story.facts)
    commit = (
        staged.commit if staged and outcome in (Outcome.COMMITTED, Outcome.KEPT, Outcome.VERIFIED) else None
    )
    begin = story.facts.get("begin", {})
    return RunReport(
        run=story.run,
        task=task,
        outcome=outcome,
        reason=reason.code,
        explanation=reason.sentence,
        advice=advice_on(story, outcome, reason),
        base=(staged.base or "") if staged else str(story.binding.get("base", "")),
        commit=commit,
        tree=staged.tree if staged else None,
        branch=_branch(begin, landed),
        files=staged.files if staged and outcome is not Outcome.NO_CHANGE else (),
        policy=_policy(story),
        gates=gates_of(story.facts.get("check", {})),
        cost=_cost(story),
        spent=Cost.of(story.cost),
        reproduced=reproduced_in(story),
        receipt=places.receipt,
        trace=places.trace,
        notes=_notes(story),
        warnings=tuple(landed.get("warnings", ())),
        environment_fault=is_environment_fault(story),
        proposer=_proposer(story),
        places=places_of(story.facts.get("patch", {})),
        places_more=int(story.facts.get("patch", {}).get("places_more", 0)),
        conflicts=_conflicts(story),
    )


def _conflicts(story: Story) -> tuple[str, ...]:
    """The paths the last merge or rebase of the run failed on."""
    said = story.facts.get(story.path[-1].state, {}) if story.path else {}
    if not isinstance(said, Mapping) or said.get("reason") != "conflict":
        return ()
    return tuple(from_recorded(path) for path in said.get("paths", ()))


def _cost(story: Story) -> dict[str, int | None]:
    """Time, and what actions counted; what models cost in the form that can say that a price is not known."""
    spent = Cost.of(story.cost)
    others = {
        key: amount for key, amount in story.cost.items() if key not in (CALLS, TOKENS, MONEY, UNPRICED)
    }
    return {
        "ms": story.ms,
        **(others if spent.calls else story.cost),
        **(spent.to_json() if spent.calls else {}),
    }


def _proposer(story: Story) -> str:
    """Who proposed; of a recipe also what it understood."""
    recipe = recipe_of(story)
    if recipe:
        return f"recipe {recipe['name']}: {recipe['title']}"
    return str(story.facts.get("begin", {}).get("proposer", ""))


def _branch(begin: Mapping[str, Any], landed: Mapping[str, Any]) -> str | None:
    ref = str(landed.get("ref") or begin.get("ref") or "")
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def _policy(story: Story) -> dict[str, Any]:
    known = story.facts.get("begin", {}).get("policy", {})
    decision = story.facts.get("check_policy", {})
    return {
        "name": known.get("name", ""),
        "digest": known.get("digest", ""),
        "source": known.get("source", ""),
        "verdict": decision.get("verdict", ""),
        "findings": thaw(decision.get("findings", ())),
    }


def _notes(story: Story) -> tuple[str, ...]:
    told = [story.facts.get(state, {}).get("notes", ()) for state in ("begin", "patch", "stage", "hooks")]
    blocked = [from_recorded(path) for path in story.facts.get("land", {}).get("paths", ())]
    said = dict.fromkeys(str(note) for notes in told for note in notes)
    return (*said, *blocked, *_undone(story), *_shown(story))


def _shown(story: Story) -> tuple[str, ...]:
    """Whether anything shows the task itself to be solved, where that was looked for and the change passed."""
    reproduced = reproduced_in(story)
    return (reproduced.sentence,) if reproduced is not None and reproduced.sentence else ()


def _undone(story: Story) -> tuple[str, ...]:
    """What of the judging an undo did not need, and why."""
    undoing, staged = undoing_of(story), current(story.facts)
    if undoing is None or staged is None or story.state == Outcome.NO_CHANGE:
        return ()
    if staged.tree != undoing.restores:
        verdict = story.facts.get("check_policy", {}).get("verdict", "")
        words = {"ask": "would have asked a person", "deny": "would have refused this from a proposer"}
        said = f"policy {words.get(verdict, '')}; whoever undoes a run has answered that"
        return (said,) if verdict in words else ()
    return (f"this is exactly the tree that run {undoing.run} began with; nothing is judged for that",)
