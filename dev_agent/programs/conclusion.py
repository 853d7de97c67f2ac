"""What a run's story means to the person who started it: outcome, reason, one sentence, what to do next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.programs.cost import CALLS, MONEY, TOKENS, UNPRICED, Cost
from dev_agent.programs.judged_by import said_by
from dev_agent.programs.paths import from_recorded
from dev_agent.programs.places import places_of
from dev_agent.programs.reasons import Reason, gate_reason, why
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.reproducing import reproduced_in
from dev_agent.programs.solving.troubles import is_environment
from dev_agent.programs.staged import current, landing_of
from dev_agent.programs.story import Story, recipe_of
from dev_agent.programs.undoing import undoing_of
from dev_agent.runtime.canonical import thaw
from dev_agent.values import dataclass

_CHANGES = "commit or put away the changes in the way"
_IN_THE_WAY = {
    "assume-unchanged": "clear the mark (git update-index --no-assume-unchanged)",
    "branch-checked-out-elsewhere": "switch the other work tree to another branch",
    "branch-checked-out-twice": "switch the other work tree to another branch",
    "branch_busy": "wait until the branch rests",
    "disk-full": "free some space",
    "filter-failed": "mend the filter git names",
    "head-switched": "switch back to the branch the change is for",
    "hook-veto": "satisfy the hook or change it",
    "index-locked": "wait for the git command that holds the index, or remove a lock nobody holds",
    "landing-busy": "wait for the other landing",
    "missing-objects": "fetch what the clone lacks",
    "no-write-permission": "make the files writable",
    "operation-in-progress": "finish or abort what is in progress",
    "ref-update-failed": "mend what git says about the ref",
    "sparse-overlap": "widen the sparse checkout",
    "unmerged-index": "resolve the conflicts in the index",
}
"""What has to happen before a kept change can land; for all other codes it is the user's own changes."""

_WAITING = {"approve": Outcome.SUSPENDED, "kept": Outcome.KEPT, "postponed": Outcome.KEPT}
_FINALS = {outcome.value: outcome for outcome in Outcome}
_BRANCHES = ("types", "tests", "checks")
_ENVIRONMENT_REASONS = (
    "baseline",
    "environment",
    "sandbox",
    "interpreter",
    "infrastructure",
    "judge_",
    "tool_missing",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where a run's files are, for the report; `receipt` is None if there is none yet."""

    trace: str
    receipt: str | None


def report_of(story: Story, *, task: str, places: Places, alive: bool) -> RunReport:
    """The report of a run. `alive` says that some process is driving it now."""
    outcome = outcome_of(story, alive=alive)
    reason = _reason(story, outcome)
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
        advice=_advice(story, outcome, reason),
        base=(staged.base or "") if staged else str(story.binding.get("base", "")),
        commit=commit,
        tree=staged.tree if staged else None,
        branch=_branch(begin, landed),
        files=staged.files if staged and outcome is not Outcome.NO_CHANGE else (),
        policy=_policy(story),
        gates=_gates(story.facts.get("check", {})),
        cost=_cost(story),
        spent=Cost.of(story.cost),
        reproduced=reproduced_in(story),
        receipt=places.receipt,
        trace=places.trace,
        notes=_notes(story),
        warnings=tuple(landed.get("warnings", ())),
        environment_fault=_is_environment(story),
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


def outcome_of(story: Story, *, alive: bool) -> Outcome:
    """How a run of one of our programs stands; `alive` as in `report_of`."""
    if story.finished:
        return _FINALS.get(story.state, Outcome.FAILED)
    if alive:
        return Outcome.RUNNING
    return _WAITING.get(story.state, Outcome.INTERRUPTED)


def _reason(story: Story, outcome: Outcome) -> Reason:
    facts = story.facts
    if outcome is Outcome.COMMITTED or outcome is Outcome.VERIFIED:
        return Reason(code="", sentence=_remaining(story))
    if outcome is Outcome.NO_CHANGE:
        last = story.path[-1].state if story.path else ""
        return Reason(code="", sentence=str(facts.get(last, {}).get("explanation", "")))
    if outcome is Outcome.RUNNING:
        return Reason(code="", sentence=f"the run is in state {story.state}")
    if outcome is Outcome.INTERRUPTED:
        return Reason(code="interrupted", sentence=f"the run was interrupted in state {story.state}")
    if outcome is Outcome.SUSPENDED:
        return Reason(code="approval_needed", sentence=_asks(facts))
    if story.reason.startswith("budget_"):
        return Reason(
            code=story.reason, sentence=f"the run used up its {story.reason.removeprefix('budget_')} budget"
        )
    if outcome is Outcome.FAILED:
        return _failure(story)
    return _rejection(story)


def _asks(facts: Mapping[str, Any]) -> str:
    asks = [
        one["because"] for one in facts.get("check_policy", {}).get("findings", ()) if one["verdict"] == "ask"
    ]
    superseded = facts.get("check", {}).get("tests", {}).get("superseded", 0)
    if superseded:
        asks.append(f"{superseded} test(s) of the base fail and pass only in the form the change gave them")
    return "; ".join(asks) or "policy asks for a person"


def _rejection(story: Story) -> Reason:
    """Why the change was not let through, or is kept: what the last state said, before anything older."""
    facts = story.facts
    last = story.path[-1].state if story.path else ""
    if last == "approve":
        said = str(facts["approve"].get("reason", ""))
        return Reason(code="not_approved", sentence=f"a person said no{': ' + said if said else ''}")
    if last == "check":
        return gate_reason(facts) or Reason(code="not_verified", sentence="a gate gave no verdict")
    said = facts.get(last, {})
    if last == "repair":
        # It recorded its sentence without what others said; here that may be at hand.
        found = why(facts)
        return found if found.code == said.get("reason", found.code) else _recorded(said)
    if said.get("reason"):
        return _recorded(said)
    return why(facts)


def _recorded(said: Mapping[str, Any]) -> Reason:
    return Reason(code=said["reason"], sentence=said.get("explanation", ""), hint=said.get("hint", ""))


def _failure(story: Story) -> Reason:
    last = story.path[-1].state if story.path else ""
    said = story.facts.get(last, {})
    return Reason(code="error", sentence=f"{last} failed: {said.get('message', 'no message')}")


def _remaining(story: Story) -> str:
    counts = {name: story.facts.get("check", {}).get(name, {}).get("preexisting", 0) for name in _BRANCHES}
    said = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for name, noun in (("types", "type error"), ("tests", "failing test"), ("checks", "failing check"))
        if (count := counts[name])
    ]
    return f"the base's own {' and '.join(said)} still there" if said else ""


def _advice(story: Story, outcome: Outcome, reason: Reason) -> str:
    run = story.run
    if outcome is Outcome.SUSPENDED:
        return (
            f"look at it with: dev-agent show {run} — then: dev-agent approve {run} | dev-agent reject {run}"
        )
    if outcome is Outcome.KEPT:
        return f"{_IN_THE_WAY.get(reason.code, _CHANGES)}, then: dev-agent resume {run}"
    if outcome is Outcome.INTERRUPTED and story.state == "land":
        # A signal or a death can come between the branch's move and the event that tells of it.
        return f"it may have landed already; settle that with: dev-agent resume {run}"
    if outcome is Outcome.INTERRUPTED:
        return f"nothing of yours changed; go on with: dev-agent resume {run}"
    if reason.hint:
        return reason.hint
    if outcome is Outcome.REJECTED:
        return f"see what was proposed and why not: dev-agent show {run}"
    if outcome is Outcome.FAILED and story.path and story.path[-1].state == "land":
        return f"put in order what was begun with: dev-agent recover — details: dev-agent show {run}"
    if outcome is Outcome.FAILED:
        return f"nothing of yours changed; details: dev-agent show {run}"
    return ""


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


def _gates(check: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """One object a verdict; a gate that gave none is one object too."""
    return tuple(
        made
        for name in _BRANCHES
        if isinstance(check.get(name), Mapping)
        for made in (_spoken(check[name]) or _silent(name, check[name]))
    )


def _spoken(branch: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**_gate(one), **said_by(branch)} for one in branch.get("verdicts", ())]


def _silent(name: str, branch: Mapping[str, Any]) -> list[dict[str, Any]]:
    if branch.get("result") == "skipped":
        return []
    said = str(branch.get("message", ""))
    return [
        {"name": name, "verdict": "error", "new_failures": [], "ms": 0, "reason": "crashed", "notes": [said]}
    ]


def _gate(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The contract's four fields first, then what explains them."""
    verdict: Any = thaw(recorded)
    kept = ("reason", "preexisting", "passed", "flaky", "superseded", "fixed", "notes", "hint", "cached")
    return {
        "name": verdict["gate"],
        "verdict": verdict["result"],
        "new_failures": verdict["new_failures"],
        "ms": verdict["ms"],
        **{key: verdict[key] for key in kept if key in verdict},
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


def _is_environment(story: Story) -> bool:
    """True if a gate learned nothing because of the machine, or a model could not be asked: the exit code says so.

    A gate that raised left `type` and `message` instead of a verdict; if that was a bug of ours, it was raised.
    """
    last = story.path[-1].state if story.path else ""
    if last in ("plan", "patch") and is_environment(str(story.facts.get(last, {}).get("reason", ""))):
        return True
    branches = [one for one in story.facts.get("check", {}).values() if isinstance(one, Mapping)]
    raised = any("result" not in one for one in branches)
    reasons = [str(one.get("reason", "")) for one in branches if one.get("result") == "error"]
    return raised or any(reason.startswith(_ENVIRONMENT_REASONS) for reason in reasons)
