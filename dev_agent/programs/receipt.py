"""The receipt of a run: an in-toto statement computed from its trace and nothing else.

No clock, host, locale, environment or repository is read: the same events give the same bytes, so anybody who
has the trace can recompute the receipt and compare. It covers the trace up to and including the event that
finished the run; `trace` in the predicate names that prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev_agent.programs.candidates.records import recorded_candidates
from dev_agent.programs.judged_by import JUDGED_BY, said_by
from dev_agent.programs.merging import merging_of
from dev_agent.programs.reproducing import reproduced_in
from dev_agent.programs.staged import current, landing_of
from dev_agent.programs.story import Story, program_of, recipe_of, told
from dev_agent.programs.undoing import undoing_of
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.health import counters
from dev_agent.runtime.receipt import receipt_bytes, statement
from dev_agent.runtime.walk import walk_of

PREDICATE_TYPE = "https://dev-agent.dev/receipt/v1"
TRACE_FORMAT = "https://dev-agent.dev/trace/v1"

WITH_HEALTH = 2
"""What a run's request says under `receipt` if its receipt carries `health`."""

_OUTCOMES = {"committed": "landed", "verified": "verified", "no_change": "no-change"}


def receipt_of(events: Sequence[Any]) -> bytes:
    """The receipt's canonical bytes. Raises ValueError if the run has not finished."""
    story = told(events)
    if not story.finished:
        raise ValueError(f"run {story.run} has not finished, so it has no receipt")
    predicate = {**_predicate(story, events[: story.events]), **_health(story, events)}
    return receipt_bytes(statement(_subjects(story), PREDICATE_TYPE, predicate))


def _subjects(story: Story) -> list[dict[str, Any]]:
    staged = current(story.facts)
    if staged is None:
        return [{"name": "trace", "digest": {"sha256": story.head}}]
    subjects = [
        {"name": "commit", "digest": {"gitCommit": staged.commit}},
        {"name": "tree", "digest": {"gitTree": staged.tree}},
    ]
    patch = _latest_patch(story.facts)
    return [*subjects, {"name": "change.patch", "digest": {"sha256": patch}}] if patch else subjects


def _latest_patch(facts: Mapping[str, Any]) -> str:
    writers = [facts[state] for state in ("stage", "hooks", "rebase") if facts.get(state, {}).get("patch")]
    return str(max(writers, key=lambda one: int(one["step"]))["patch"]) if writers else ""


def _predicate(story: Story, events: Sequence[Any]) -> dict[str, Any]:
    begin = story.facts.get("begin", {})
    staged = current(story.facts)
    return {
        "run": story.run,
        "tool": {"name": "dev-agent", "version": begin.get("tool", "")},
        "repository": {"objectFormat": begin.get("object_format", ""), "ref": _ref(story)},
        "base": {"digest": {"gitCommit": staged.base or "" if staged else begin.get("base", "")}},
        "verified": {"digest": {"gitTree": staged.tree if staged else ""}},
        "outcome": _OUTCOMES.get(story.state, "rejected"),
        "reason": story.reason,
        "program": {"name": program_of(story), "digest": {"sha256": story.binding.get("program", "")}},
        "policy": _policy(story),
        "confinement": begin.get("sandbox", {}),
        "gates": [gate for name, branch in _branches(story) for gate in _gates(name, branch, story)],
        "baseFailuresRemaining": sum(branch.get("preexisting", 0) for _, branch in _branches(story)),
        "mustPass": list(story.inputs.get("must_pass", ())),
        "changes": [thaw(change) for change in _changes(story)],
        "hooks": {"mode": begin.get("hooks", ""), "ran": list(story.facts.get("hooks", {}).get("ran", ()))},
        "rejectedTransitions": [
            {"state": step.state, "outcome": step.outcome} for step in story.path if step.is_rejection
        ],
        "attempts": 1 + int(story.facts.get("rebase", {}).get("count", 0)),
        "approvals": [_approval(story)] if "approve" in story.facts else [],
        "proposer": begin.get("proposer", ""),
        "cost": dict(story.cost),
        "trace": {"format": TRACE_FORMAT, "events": story.events, "head": {"sha256": story.head}},
        **({"recipe": recipe} if (recipe := recipe_of(story)) else {}),
        **_undone(story),
        **_merged(story),
        **({"reproduced": reproduced.to_json()} if (reproduced := reproduced_in(story)) else {}),
        **({"candidates": candidates} if (candidates := _candidates(events)) else {}),
    }


def _candidates(events: Sequence[Any]) -> list[dict[str, Any]]:
    """What came of every answer that was tried beside others; the diffs are payloads of the trace."""
    return [
        {
            "round": one.round,
            "number": one.candidate.number,
            "standing": one.candidate.standing.value,
            "chosen": one.chosen,
            "tree": {"gitTree": one.tree},
            "reproduced": one.candidate.reproduced,
        }
        for one in recorded_candidates(events)
    ]


def _health(story: Story, events: Sequence[Any]) -> dict[str, Any]:
    """How straight the run went, in whole numbers; their meaning is in `runtime.health.counters`.

    A run that was begun for receipts without it has one without it, whichever version computes it.
    """
    if int(story.request.get("receipt", 1)) < WITH_HEALTH:
        return {}
    return {"health": counters(walk_of(events[: story.events]))}


def _undone(story: Story) -> dict[str, Any]:
    """What a run of `undo` took back, and which tree it had to restore to need no new judging."""
    undoing = undoing_of(story)
    if undoing is None:
        return {}
    return {
        "undoes": {
            "run": undoing.run,
            "commit": {"gitCommit": undoing.commit},
            "began": {"gitTree": undoing.restores},
            "actor": undoing.actor,
        }
    }


def _merged(story: Story) -> dict[str, Any]:
    """Which head a run of `premerge` merged; the base is where every run has it."""
    merging = merging_of(story)
    return {} if merging is None else {"merges": {"head": {"digest": {"gitCommit": merging.head}}}}


def _ref(story: Story) -> str:
    landed = landing_of(story.facts).get("ref", "")
    return str(landed or story.facts.get("begin", {}).get("ref", ""))


def _policy(story: Story) -> dict[str, Any]:
    begin = story.facts.get("begin", {}).get("policy", {})
    decision = story.facts.get("check_policy", {})
    return {
        "name": begin.get("name", ""),
        "digest": {"sha256": begin.get("digest", "")},
        "source": begin.get("source", ""),
        "verdict": decision.get("verdict", ""),
        "findings": [thaw(finding) for finding in decision.get("findings", ())],
    }


def _branches(story: Story) -> list[tuple[str, Mapping[str, Any]]]:
    check = story.facts.get("check", {})
    return [
        (name, check[name]) for name in ("types", "tests", "checks") if isinstance(check.get(name), Mapping)
    ]


def _gates(name: str, branch: Mapping[str, Any], story: Story) -> list[dict[str, Any]]:
    verdicts = branch.get("verdicts", ())
    if not verdicts and branch.get("result") != "skipped":
        return [{"name": name, "result": "ERROR", "reason": str(branch.get("message", ""))}]
    output = story.blobs.get(f"check.{name}.output", "")
    return [{**_gate(verdict, output), **_judged_by(branch)} for verdict in verdicts]


def _judged_by(branch: Mapping[str, Any]) -> dict[str, Any]:
    """The worker that judged, and in which confinement, where it was not this machine."""
    known = said_by(branch).get(JUDGED_BY)
    if known is None:
        return {}
    return {
        "judgedBy": {
            "worker": str(known.get("worker", "")),
            "environment": {"sha256": str(known.get("environment", ""))},
            "confinement": str(known.get("confinement", "")),
        }
    }


def _gate(verdict: Mapping[str, Any], output: str) -> dict[str, Any]:
    return {
        "name": verdict["gate"],
        "argv": list(verdict["argv"]),
        "tool": {"name": verdict["tool"], "version": verdict["tool_version"]},
        "environment": {"sha256": verdict["environment"]},
        "tree": {"gitTree": verdict["tree"]},
        "result": str(verdict["result"]).upper(),
        "reason": verdict["reason"],
        "exitCode": verdict["exit_code"],
        "passedCount": verdict["passed"],
        "failedTests": [failure["id"] for failure in verdict["new_failures"]],
        "preexisting": verdict["preexisting"],
        "fixed": list(verdict["fixed"]),
        "flaky": list(verdict["flaky"]),
        "superseded": list(verdict["superseded"]),
        "output": {"digest": {"hmac-sha256": output}} if output else None,
    }


def _changes(story: Story) -> Sequence[Any]:
    writers = [
        story.facts[state]
        for state in ("stage", "hooks", "rebase")
        if story.facts.get(state, {}).get("commit")
    ]
    return max(writers, key=lambda one: int(one["step"]))["changes"] if writers else ()


def _approval(story: Story) -> dict[str, Any]:
    signal = story.facts["approve"]
    return {"tree": {"gitTree": signal["tree"]}, "actor": signal["actor"], "reason": signal["reason"]}
