"""Reports of judged merges, made of values: what a run would have recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.merging import Merging
from dev_agent.programs.report import Outcome, RunReport

BASE, HEAD, TREE, COMMIT = ("1" * 40, "2" * 40, "3" * 40, "4" * 40)


def gate(name: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "verdict": verdict, "new_failures": [], "ms": 1200, "reason": "", **more}


def failure(identity: str, **more: Any) -> dict[str, Any]:
    return {"id": identity, "path": "", "line": None, "code": "", "message": "", "detail": "", **more}


GREEN = (gate("types", "passed", passed=5), gate("tests", "passed", passed=14, preexisting=1))
TYPE_ERROR = failure(
    "src/a.py::f", path="src/a.py", line=7, code="return-value", message="Incompatible return value type"
)
BROKEN_TEST = failure(
    "tests/test_a.py::test_f",
    path="tests/test_a.py",
    line=3,
    code="failed",
    message="assert 1 == 2",
    detail="def test_f():\n>   assert 1 == 2\nE   assert 1 == 2",
)
RED = (
    gate("types", "failed", new_failures=[TYPE_ERROR]),
    gate("tests", "failed", new_failures=[BROKEN_TEST]),
)


def finding(rule: str, verdict: str, *paths: str, because: str = "The change touches it.") -> dict[str, Any]:
    places = [{"path": path, "line": 2, "text": "text"} for path in paths]
    return {"rule": rule, "verdict": verdict, "because": because, "places": places, "facts": {}}


def report(
    outcome: Outcome = Outcome.VERIFIED,
    *,
    gates: tuple[Mapping[str, Any], ...] = GREEN,
    findings: tuple[Mapping[str, Any], ...] = (),
    superseded: str = "",
    base_name: str = "main",
    head_name: str = "topic",
    **run: Any,
) -> MergeReport:
    made = RunReport(
        run="20260102T030405-abcdef",
        task="Merge topic into main",
        outcome=outcome,
        reason="",
        explanation="",
        advice="",
        base=BASE,
        commit=COMMIT if outcome in (Outcome.VERIFIED, Outcome.COMMITTED) else None,
        tree=TREE,
        branch=None,
        files=("src/a.py",),
        policy={
            "name": "default",
            "digest": "d" * 64,
            "source": "shipped",
            "verdict": "allow",
            "findings": list(findings),
        },
        gates=gates,
        cost={},
        receipt=None,
        trace="trace.jsonl",
    )
    merging = Merging(base_name=base_name, head_name=head_name, head=HEAD)
    return MergeReport(run=replace(made, **run), merging=merging, base=BASE, superseded=superseded)
