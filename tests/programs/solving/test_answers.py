"""What a model's answers come to: values with bounds, or sentences that say what is wrong. Nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.edits.parse import parse
from dev_agent.programs.actions.plan import PLAN
from dev_agent.programs.actions.write import WRITE
from dev_agent.programs.solving.answers import (
    Faulty,
    Request,
    proposal_from,
    request_from,
    request_from_text,
)
from dev_agent.programs.solving.forms import patch_form, plan_form, question_for
from dev_agent.programs.solving.plan import Plan, PlanRefused, plan_from, plan_from_text
from dev_agent.programs.solving.troubles import is_environment, outcome_of
from dev_agent.proposers.forms import faults_of
from dev_agent.proposers.model import Trouble
from tests.testing.scripted_model import edits, plan, replacing

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*plan(), *edits(), "answer", "other"])
TEXTS = st.lists(st.text(max_size=9), max_size=3)
PATHS = st.text("ab/._-é ", min_size=1, max_size=12)


@given(st.dictionaries(FIELDS, ANYTHING, max_size=8))
def test_law_no_answer_raises(content: dict[str, Any]) -> None:
    assert isinstance(plan_from(content), Plan | PlanRefused)
    assert isinstance(request_from(content), Request | Faulty)
    assert isinstance(proposal_from(content), bytes | Faulty)


@given(
    st.lists(PATHS, min_size=1, max_size=4),
    st.text(min_size=1, max_size=20),
    st.lists(st.text(max_size=9), max_size=3),
)
def test_law_a_plan_read_again_is_the_plan(files: list[str], summary: str, symbols: list[str]) -> None:
    found = plan_from(plan(*files, summary=summary, symbols=symbols))
    if isinstance(found, Plan):
        packed = found.to_text().encode("utf-8", "backslashreplace")
        assert plan_from_text(packed.decode()) == found
        assert all(".." not in path.split("/") and not path.startswith("/") for path in found.scope)


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=9))
def test_law_a_request_read_again_is_the_request(files: list[str], reason: str) -> None:
    found = request_from({"files": files, "reason": reason})
    if isinstance(found, Request):
        packed = found.to_text().encode("utf-8", "backslashreplace")
        assert request_from_text(packed.decode()) == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (plan(), "both empty"),
        (plan("a.py", kind="magic"), "kind must be one of fix, feat"),
        (plan("a.py", summary=" "), "summary must say"),
        (plan("a.py", summary="x" * 5_000), "summary has 5000 characters"),
        (plan("/etc/passwd"), "'/etc/passwd' is an absolute path"),
        (plan("src/../../x"), "'..'"),
        (plan(".git/config"), "leads into .git"),
        (plan("config/.env"), "may hold secrets"),
        (plan("nul.txt"), "device name"),
        (plan("a" * 500), "has an entry of 500 characters"),
        (plan("a.py", symbols=["x"] * 100), "symbols has 100 entries"),
        (plan("a.py", questions="why"), "questions must be a list of text"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_with_its_faults(content: dict[str, Any], said: str) -> None:
    found = plan_from(content)
    assert isinstance(found, PlanRefused)
    assert said in found.sentence


def test_all_faults_of_a_plan_are_said_at_once_within_bounds() -> None:
    found = plan_from(plan(*(f"/{n}" for n in range(30)), kind="x", risk="y"))
    assert isinstance(found, PlanRefused)
    assert len(found.faults) == 32
    assert "and 24 more" in found.sentence


def test_a_plan_may_be_for_new_files_and_tests_alone() -> None:
    found = plan_from(plan(tests_to_add=["./tests/test_new.py", "tests/test_new.py"]))
    assert isinstance(found, Plan)
    assert found.scope == {"tests/test_new.py"}


@pytest.mark.parametrize(
    "operation",
    [
        replacing("a.py", "x = 1\n", "x = 2\n"),
        {"op": "create", "path": "b.py", "new": "x = 1\n"},
        {"op": "write", "path": "a.py", "new": 'quote = "\\"\n'},
        {"op": "delete", "path": "a.py"},
        {"op": "move", "path": "a.py", "to": "c.py"},
    ],
)
def test_every_operation_of_the_form_is_one_that_can_be_read(operation: dict[str, str]) -> None:
    answer = edits(operation)
    assert faults_of({"question": "q", **answer}, patch_form("q")) == ()
    proposal = proposal_from(answer)
    assert isinstance(proposal, bytes)
    assert len(parse(proposal).edits) == 1


def test_answers_of_the_tests_have_the_forms_that_are_asked_for() -> None:
    assert faults_of({"question": "q", **plan("a.py")}, plan_form("q")) == ()
    assert faults_of({"question": "p", **plan("a.py")}, plan_form("q")) != ()
    assert faults_of({"question": "q", **plan(*("a",) * 5_000)}, plan_form("q")) != ()


def test_a_question_is_of_its_task() -> None:
    assert question_for("a") != question_for("b")
    assert question_for("\ud800") == question_for("\ud800")


def test_every_trouble_has_an_outcome_the_states_handle() -> None:
    for trouble in Trouble:
        assert outcome_of(trouble) in PLAN.outcomes & WRITE.outcomes
    assert is_environment("model_unauthorised")
    assert not is_environment("model_refused")
    assert not is_environment("model_declined")
    assert not is_environment("unauthorised")


def test_an_action_of_a_model_is_bound_to_nothing_of_the_run() -> None:
    """By construction: what the engine runs holds the means to ask and the list of faults, and nothing else."""
    for action in (PLAN, WRITE):
        spec = action.unbound()
        assert spec.capabilities == frozenset()
        assert set(spec.prompts) == {"stable", action.name.replace("write", "patch")}
        assert spec.spends == {"model_calls", "tokens", "money"}
