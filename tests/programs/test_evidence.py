"""The check at the door: every piece of evidence that is missing, or about something else, is noticed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dev_agent.programs.evidence import missing_evidence
from dev_agent.programs.staged import StagedCommit
from dev_agent.programs.undoing import Undoing

STAGED = StagedCommit(step=1, commit="c1", tree="t1", base="c0", base_tree="t0", files=("a",))


def _branch(result: str = "passed") -> dict[str, Any]:
    return {"tree": "t1", "base_tree": "t0", "result": result, "superseded": 0}


def _facts() -> dict[str, Any]:
    return {
        "check_policy": {
            "tree": "t1",
            "base_tree": "t0",
            "policy": "p",
            "verdict": "allow",
            "asks_superseded": False,
        },
        "check": {"types": _branch(), "tests": _branch(), "checks": _branch("skipped")},
    }


def test_complete_evidence_lacks_nothing() -> None:
    assert missing_evidence(_facts(), STAGED, "p") == ""


def _set(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            facts = facts[parent]
        facts[last] = value

    return change


def _drop(path: str) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            facts = facts[parent]
        del facts[last]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_drop("check_policy"), "policy decision", id="no policy decision"),
        pytest.param(_set("check_policy.tree", "t9"), "another tree", id="policy judged another tree"),
        pytest.param(
            _set("check_policy.base_tree", "t9"), "another tree", id="policy judged on another base"
        ),
        pytest.param(_set("check_policy.policy", "q"), "another policy", id="another policy decided"),
        pytest.param(_set("check_policy.verdict", "deny"), "did not allow", id="policy denied"),
        pytest.param(_set("check_policy.verdict", "ask"), "nobody approved", id="asked and not approved"),
        pytest.param(_drop("check"), "types", id="no gates at all"),
        pytest.param(_drop("check.tests"), "tests", id="one gate gave nothing"),
        pytest.param(_set("check.types.tree", "t9"), "types", id="types judged another tree"),
        pytest.param(_set("check.checks.base_tree", "t9"), "checks", id="checks judged on another base"),
        pytest.param(_set("check.tests.result", "failed"), "tests did not pass", id="tests failed"),
        pytest.param(_set("check.tests.result", "error"), "tests did not pass", id="tests gave an error"),
    ],
)
def test_every_gap_is_named(change: Callable[[dict[str, Any]], None], said: str) -> None:
    facts = copy.deepcopy(_facts())
    change(facts)
    assert said in missing_evidence(facts, STAGED, "p")


def test_an_approval_counts_for_its_own_tree_only() -> None:
    facts = _facts()
    facts["check_policy"]["verdict"] = "ask"
    facts["approve"] = {"tree": "t1"}
    assert missing_evidence(facts, STAGED, "p") == ""
    facts["approve"] = {"tree": "t0"}
    assert "nobody approved" in missing_evidence(facts, STAGED, "p")


def test_superseded_tests_need_a_person_where_policy_asks() -> None:
    facts = _facts()
    facts["check_policy"]["asks_superseded"] = True
    assert missing_evidence(facts, STAGED, "p") == ""
    facts["check"]["tests"]["superseded"] = 1
    assert "nobody approved" in missing_evidence(facts, STAGED, "p")


def _undoing(restores: str) -> Undoing:
    return Undoing(run="r", commit="c", ref="refs/heads/main", restores=restores, actor="Rita")


def test_an_undo_needs_no_evidence_for_the_tree_the_undone_run_began_with() -> None:
    assert missing_evidence({}, STAGED, "p", _undoing("t1")) == ""


def test_an_undo_needs_every_verdict_for_any_other_tree() -> None:
    assert missing_evidence({}, STAGED, "p", _undoing("t9")) != ""
    for gate in ("types", "tests", "checks"):
        facts = _facts()
        facts["check"][gate] = _branch("failed")
        assert missing_evidence(facts, STAGED, "p", _undoing("t9")) == f"{gate} did not pass"
    assert missing_evidence(_facts(), STAGED, "p", _undoing("t9")) == ""


def test_an_undo_needs_no_consent_of_policy() -> None:
    facts = _facts()
    facts["check_policy"]["verdict"] = "deny"
    assert missing_evidence(facts, STAGED, "p", _undoing("t9")) == ""
    assert missing_evidence(facts, STAGED, "p") == "policy did not allow the change"


def test_verdicts_have_to_compare_with_the_tree_that_was_asked_for() -> None:
    assert "another tree" in missing_evidence(_facts(), STAGED, "p", _undoing("t9"), judged_from="t7")
