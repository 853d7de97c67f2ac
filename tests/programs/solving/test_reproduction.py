"""A run that wants a test that shows the task to be solved: asked for, looked for, said honestly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dev_agent.programs.evidence import missing_evidence
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.reproducing import Wish, wish_of
from dev_agent.programs.staged import StagedCommit
from tests.programs.solving.conftest import CART, SUM, TESTS_ONLY, Solving
from tests.testing.scripted_model import Scripted, edits, plan, replacing

NEW = "tests/test_empty.py"
SHOWS = "from shop.cart import total\n\n\ndef test_text() -> None:\n    assert total(['1', 2]) == 3\n"
HOLLOW = "def test_nothing() -> None:\n    assert True\n"
FIX = replacing(CART, SUM, "    return sum(map(int, prices))\n")
PLAN = plan(CART, tests_to_add=[NEW])


def creating(text: str) -> dict[str, str]:
    return {"op": "create", "path": NEW, "new": text}


def receipt_of(report: RunReport) -> Any:
    assert report.receipt
    return json.loads(Path(report.receipt).read_bytes())["predicate"]


def test_without_a_test_a_required_one_is_asked_for_until_there_is_one(solving: Solving) -> None:
    rewriting = {"op": "write", "path": NEW, "new": SHOWS}
    model = Scripted([PLAN, edits(FIX, creating(HOLLOW)), edits(rewriting)])
    report = solving.solve(model, policy=TESTS_ONLY, reproduce=True)

    assert report.outcome is Outcome.COMMITTED, report
    left = [event.data for event in solving.events(report) if event.type == "left"]
    assert [one["outcome"] for one in left if one["state"] == "reproduce"] == ["lacking", "shown"]
    assert "fails on the files as they were" in model.prompts[0]
    assert "the new tests pass without the change as well" in model.prompts[2]
    assert (solving.shop.root / NEW).read_text() == SHOWS
    assert receipt_of(report)["reproduced"] == {
        "answer": "yes", "tests": [f"{NEW}::test_text"], "reason": "shown"
    }  # fmt: skip
    assert any("shown by a test that fails without the change" in note for note in report.notes)


def test_where_it_is_only_tried_the_receipt_says_that_nothing_shows_it(solving: Solving) -> None:
    policy = TESTS_ONLY + '[reproduce]\nbugs = "try"\n'
    report = solving.solve(Scripted([PLAN, edits(FIX)]), policy=policy)

    assert report.outcome is Outcome.COMMITTED, report
    assert receipt_of(report)["reproduced"]["answer"] == "no"
    assert any("no test shows the task itself to be solved" in note for note in report.notes)


def test_where_nobody_asked_nothing_is_run_and_the_receipt_says_so(solving: Solving) -> None:
    model = Scripted([PLAN, edits(FIX)])
    report = solving.solve(model, policy=TESTS_ONLY)

    assert report.outcome is Outcome.COMMITTED, report
    assert receipt_of(report)["reproduced"] == {"answer": "not asked", "tests": [], "reason": ""}
    assert "test of its own" not in model.prompts[0]


@pytest.mark.parametrize(
    ("said", "policy", "kind", "wish"),
    [
        ("policy", "require", "fix", Wish.REQUIRE),
        ("policy", "require", "feat", Wish.OFF),
        ("policy", "try", "", Wish.TRY),
        ("policy", "off", "fix", Wish.OFF),
        ("require", "off", "feat", Wish.REQUIRE),
        ("off", "require", "fix", Wish.OFF),
        ("", "require", "fix", Wish.OFF),
    ],
)
def test_the_callers_word_goes_before_the_policys(said: str, policy: str, kind: str, wish: Wish) -> None:
    facts: dict[str, Any] = {
        "input": {"reproduce": said} if said else {},
        "plan": {"kind": kind} if kind else {},
    }

    assert wish_of(facts, policy) is wish


STAGED = StagedCommit(step=1, commit="c", tree="t", base="b", base_tree="bt", files=("a",))
GATE = {"tree": "t", "base_tree": "bt", "result": "passed", "superseded": 0}
SOUND: dict[str, Any] = {
    "input": {"reproduce": "policy"},
    "check_policy": {
        "tree": "t",
        "base_tree": "bt",
        "policy": "p",
        "verdict": "allow",
        "asks_superseded": False,
    },
    "check": {"types": GATE, "tests": GATE, "checks": GATE},
    "reproduce": {"tree": "t", "base_tree": "bt", "wish": "require", "tests": ["x::y"]},
}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"reproduce": {}}, "was at another tree"),
        ({"reproduce": {**SOUND["reproduce"], "tree": "other"}}, "was at another tree"),
        ({"reproduce": {**SOUND["reproduce"], "base_tree": "other"}}, "was at another tree"),
        ({"reproduce": {**SOUND["reproduce"], "tests": []}}, "is required, and there is none"),
        (
            {"input": {"reproduce": "require"}, "reproduce": {**SOUND["reproduce"], "wish": "off", "tests": []}},
            "required",
        ),
        ({"reproduce": {**SOUND["reproduce"], "wish": "try", "tests": []}}, ""),
        ({"input": {}, "reproduce": {}}, ""),
    ],
)  # fmt: skip
def test_landing_looks_for_the_required_test_again(more: Mapping[str, Any], said: str) -> None:
    found = missing_evidence({**SOUND, **more}, STAGED, "p")

    assert said in found
    assert bool(said) is bool(found)
