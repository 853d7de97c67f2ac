"""Setbacks: what each costs, and that every sequence of them ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cluster.answer import TroubleKind
from dev_agent.cluster.faults import Loss, Next, Setback, next_after, unjudged
from dev_agent.gates.judge import GateName, Question, Terms
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import GateResult
from dev_agent.policy.policy import GatePolicy
from dev_agent.programs.recorded_gates import ENVIRONMENT_REASONS
from dev_agent.sandbox.profile import Profile

KINDS: list[Loss | TroubleKind] = [*Loss, *TroubleKind]
RULES = GatePolicy(
    types="delta", tests="delta", flaky="allow", no_tests="allow", no_types="allow", changed_tests="allow"
)


def setback(kind: Loss | TroubleKind, worker: str = "tcp://a:1") -> Setback:
    return Setback(kind=kind, said=f"it was {kind}", hint="mend it", worker=worker)


@pytest.mark.parametrize(
    "kind", [Loss.SILENT, Loss.SLOW, Loss.NONSENSE, TroubleKind.NO_SPACE, TroubleKind.TOOL]
)
def test_a_worker_that_fails_costs_one_more_asking_of_another(kind: Loss | TroubleKind) -> None:
    assert next_after([setback(kind)]) is Next.ELSEWHERE
    assert next_after([setback(kind), setback(kind, "tcp://b:1")]) is Next.GIVE_UP


def test_a_job_that_kills_workers_is_not_asked_again() -> None:
    assert next_after([setback(Loss.KILLED)]) is Next.GIVE_UP


def test_a_scheduler_may_be_lost_a_few_times_and_not_for_ever() -> None:
    lost = [setback(Loss.SCHEDULER)]
    assert [next_after(lost * count) for count in (1, 2, 3, 4)] == [Next.AGAIN] * 3 + [Next.GIVE_UP]


def test_a_lost_scheduler_does_not_use_up_the_asking_of_another_worker() -> None:
    assert next_after([setback(Loss.SCHEDULER), setback(Loss.SILENT)]) is Next.ELSEWHERE


@pytest.mark.law
@given(st.lists(st.sampled_from(KINDS), min_size=6, max_size=6))
def test_whatever_goes_wrong_a_question_is_asked_a_bounded_number_of_times(
    kinds: list[Loss | TroubleKind],
) -> None:
    """Law: any six setbacks in a row end in giving up."""
    asked = [next_after([setback(one) for one in kinds[: count + 1]]) for count in range(6)]
    assert Next.GIVE_UP in asked


@pytest.mark.parametrize("kind", KINDS)
def test_what_could_not_be_judged_is_an_error_of_the_machine_and_never_of_the_change(
    kind: Loss | TroubleKind,
) -> None:
    subject = Subject(base_tree="b" * 40, tree="a" * 40, changed=("x.py",))
    question = Question(gate=GateName.TESTS, subject=subject, terms=Terms(rules=RULES, profile=Profile()))
    verdict = unjudged(question, "env", [setback(kind), setback(kind, "tcp://b:1")])
    assert verdict.result is GateResult.ERROR
    assert verdict.reason.startswith(ENVIRONMENT_REASONS)
    assert (verdict.tree, verdict.base_tree, verdict.environment) == ("a" * 40, "b" * 40, "env")
    assert verdict.notes == (f"it was {kind} (tcp://a:1)", f"it was {kind} (tcp://b:1)")
    assert "mend it" in verdict.hint
