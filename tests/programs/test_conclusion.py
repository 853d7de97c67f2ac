"""What a run's story is told as: code, sentence, advice and exit code, for every way it can stand."""

from __future__ import annotations

from typing import Any

import pytest

from dev_agent.programs.conclusion import Places, report_of
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.story import PathStep, Story

PLACES = Places(trace="trace.jsonl", receipt=None)


def _verdict(gate: str, result: str, **more: Any) -> dict[str, Any]:
    known = {"reason": "", "new_failures": [], "preexisting": 0, "passed": 3, "flaky": [], "superseded": []}
    return {
        "gate": gate, "result": result, "ms": 1, "fixed": [], "notes": [], "hint": "", "cached": False, **known, **more
    }  # fmt: skip


def _branch(gate: str, result: str, *, count: int = 0, preexisting: int = 0, **more: Any) -> dict[str, Any]:
    verdict = _verdict(gate, result, preexisting=preexisting, **more)
    return {
        "tree": "t1",
        "base_tree": "t0",
        "result": result,
        "reason": verdict["reason"],
        "new_failures": count,
        "preexisting": preexisting,
        "superseded": 0,
        "verdicts": [verdict],
    }


def _told(state: str, *, last: str = "", facts: dict[str, Any] | None = None, **more: Any) -> RunReport:
    story = Story(run="run-1", state=state, facts=facts or {}, reason=str(more.pop("reason", "")))
    story.finished = bool(more.pop("finished", True))
    story.request = {"program": "apply"}
    if last:
        story.path.append(PathStep(state=last, attempt=1, outcome="x", ms=1))
    return report_of(story, task="t", places=PLACES, alive=bool(more.pop("alive", False)))


def test_several_gates_are_told_in_one_sentence() -> None:
    check = {
        "types": _branch("types", "failed", count=2, reason="new_errors"),
        "tests": _branch("tests", "failed", count=1, reason="new_failures"),
        "checks": _branch("checks", "passed"),
    }
    report = _told("rejected", last="check", facts={"check": check})
    assert report.explanation == "2 new type errors; 1 new test failure"
    assert (report.reason, report.exit_code) == ("types_failed", 1)


def test_a_gate_that_learned_nothing_is_named_before_one_that_failed() -> None:
    check = {
        "types": _branch("types", "failed", count=1),
        "tests": _branch(
            "tests",
            "error",
            reason="baseline_died_early",
            notes=["left early\nwith a long traceback"],
            hint="look",
        ),
    }
    report = _told("rejected", last="check", facts={"check": check})
    assert report.reason == "tests_error"
    assert report.explanation == "1 new type error; tests could not be judged (baseline_died_early)"
    assert report.advice == "look"
    assert report.exit_code == 3


def test_a_note_stands_in_where_there_is_no_hint_and_only_its_first_line() -> None:
    tests = _branch("tests", "failed", reason="crashed", notes=["left early\nwith a long traceback"])
    report = _told("rejected", last="check", facts={"check": {"tests": tests}})
    assert report.explanation == "tests failed (crashed: left early)"


def test_a_gate_that_crashed_is_told_with_its_words() -> None:
    check = {"types": _branch("types", "passed"), "tests": {"type": "OSError", "message": "disk gone"}}
    report = _told("rejected", last="check", facts={"check": check})
    assert "tests could not be judged: disk gone" in report.explanation
    assert report.exit_code == 3
    assert [gate["verdict"] for gate in report.gates] == ["passed", "error"]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("dirty-overlap", "commit or put away the changes in the way"),
        ("disk-full", "free some space"),
        ("index-locked", "wait for the git command that holds the index"),
        ("branch_busy", "wait until the branch rests"),
        ("replaced-objects", "take the replacement away"),
        ("operation-in-progress", "finish or abort what is in progress"),
    ],
)
def test_what_is_kept_says_what_has_to_happen_first(code: str, advice: str) -> None:
    facts = {"land": {"reason": code, "explanation": "in the way", "paths": ["a.txt"]}}
    report = _told("kept", last="land", facts=facts, finished=False)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.KEPT, code, 6)
    assert report.advice.startswith(advice)
    assert report.advice.endswith("dev-agent resume run-1")
    assert report.notes == ("a.txt",)


def test_a_budget_is_its_own_exit_code() -> None:
    report = _told("rejected", reason="budget_transitions")
    assert (report.outcome, report.exit_code) == (Outcome.REJECTED, 4)
    assert report.explanation == "the run used up its transitions budget"


def test_a_run_somebody_drives_is_running_and_one_nobody_drives_was_interrupted() -> None:
    assert _told("check", finished=False, alive=True).outcome is Outcome.RUNNING
    left = _told("check", finished=False)
    assert (left.outcome, left.exit_code) == (Outcome.INTERRUPTED, 130)
    assert "state check" in left.explanation


def test_nothing_is_promised_about_a_landing_that_broke_off() -> None:
    broken = {"land": {"type": "GitFailed", "message": "no"}}
    for report in (_told("land", finished=False), _told("failed", last="land", facts=broken)):
        assert "nothing of yours changed" not in report.advice
        assert "dev-agent re" in report.advice
    for report in (_told("check", finished=False), _told("failed", last="stage", facts={"stage": {}})):
        assert "nothing of yours changed" in report.advice


def test_a_failure_names_the_state_and_its_words() -> None:
    report = _told("failed", last="stage", facts={"stage": {"type": "OSError", "message": "no space"}})
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 3)
    assert report.explanation == "stage failed: no space"


def test_remaining_failures_of_the_base_are_counted_by_kind() -> None:
    check = {
        "types": _branch("types", "passed", preexisting=9),
        "tests": _branch("tests", "passed", preexisting=1),
    }
    report = _told("committed", last="land", facts={"check": check})
    assert report.explanation == "the base's own 9 type errors and 1 failing test still there"
    assert report.exit_code == 0
