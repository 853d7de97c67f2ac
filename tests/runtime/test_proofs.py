"""A proof that held is not made again, and stands for nothing but what it was made over."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from dev_agent.runtime.actions import ActionSpec, AnySpec, ModelActionSpec, Result
from dev_agent.runtime.errors import ProgramRefused
from dev_agent.runtime.program import Program
from dev_agent.runtime.proofs import MOST, Proofs
from dev_agent.runtime.states import FactType
from dev_agent.runtime.validation import prove
from tests.runtime.worlds import action, always, program, single

ASKING = """
name = "asking"
start = "work"
[budgets]
transitions = 5
exceeded = "rejected"
[states.work]
kind = "action"
on = { done = "look", error = "rejected" }
[states.look]
kind = "choose"
cases = [{ when = "work.fine", outcome = "good" }]
on = { good = "finished", otherwise = "rejected", error = "rejected" }
[states.finished]
kind = "final"
[states.rejected]
kind = "final"
"""


def work(facts: Mapping[str, FactType], *outcomes: str) -> dict[str, AnySpec]:
    return {"work": ActionSpec("work", frozenset(outcomes or ("done",)), facts, always("done"))}


def test_a_proof_holds_for_the_same_program_over_the_same_declarations() -> None:
    made, proofs = program(ASKING), Proofs()
    assert not proofs.holds(made, work({"fine": FactType.BOOL}))
    proofs.remember(made, work({"fine": FactType.BOOL}))
    assert proofs.holds(made, work({"fine": FactType.BOOL}))


@pytest.mark.parametrize(
    "other",
    [
        work({}),
        work({"fine": FactType.INT}),
        work({"fine": FactType.BOOL}, "done", "more"),
        work({"fine": FactType.BOOL}) | action("more", always("done"), "done"),
        {"work": ActionSpec("other", frozenset({"done"}), {"fine": FactType.BOOL}, always("done"))},
        {"work": ModelActionSpec("work", frozenset({"done"}), {"fine": FactType.BOOL}, lambda _: Result("done"))},
        {},
    ],
)  # fmt: skip
def test_it_does_not_hold_over_other_declarations(other: dict[str, AnySpec]) -> None:
    made, proofs = program(ASKING), Proofs()
    proofs.remember(made, work({"fine": FactType.BOOL}))
    assert not proofs.holds(made, other)


def test_a_program_proved_before_is_refused_when_its_actions_declare_less_by_then() -> None:
    made, facts = program(ASKING), {"fine": FactType.BOOL}
    actions = work(facts)
    prove(made, actions)
    prove(made, actions)

    del facts["fine"]

    for _ in range(2):
        with pytest.raises(ProgramRefused, match="fine"):
            prove(made, actions)
    facts["fine"] = FactType.BOOL
    prove(made, actions)


def test_prompts_changed_in_place_are_proved_again() -> None:
    made, prompts = single('shows = ["work.text"]'), {"ask": "{{work.text}}"}
    spec = ModelActionSpec(
        "work", frozenset({"done", "again"}), {"text": FactType.STR}, lambda _: Result("done"), prompts=prompts
    )  # fmt: skip
    prove(made, {"work": spec})
    prompts["ask"] = "{{work.secret}}"
    with pytest.raises(ProgramRefused, match=r"work\.secret"):
        prove(made, {"work": spec})


def test_another_program_is_proved_for_itself() -> None:
    made = program(ASKING)
    prove(made, work({"fine": FactType.BOOL}))
    astray = {**made.states, "look": replace(made.states["look"], on=MappingProxyType({"good": "nowhere"}))}
    with pytest.raises(ProgramRefused):
        prove(replace(made, states=MappingProxyType(astray)), work({"fine": FactType.BOOL}))


def test_states_that_somebody_may_still_change_are_proved_every_time() -> None:
    made = program(ASKING)
    states = dict(made.states)
    open_to_change = replace(made, states=states)
    prove(open_to_change, work({"fine": FactType.BOOL}))
    del states["finished"]
    with pytest.raises(ProgramRefused, match="finished"):
        prove(open_to_change, work({"fine": FactType.BOOL}))


def test_no_more_than_a_few_are_known_and_none_is_kept_alive() -> None:
    proofs, actions = Proofs(), work({"fine": FactType.BOOL})
    made: list[Program] = [program(ASKING) for _ in range(MOST + 1)]
    for one in made:
        proofs.remember(one, actions)
    assert [proofs.holds(one, actions) for one in made] == [False] + [True] * MOST
    # Whoever gets the place in memory of a program that is gone does not get its proof.
    known = list(proofs._held)
    del made, one
    gc.collect()
    assert [proofs._held[key][0]() for key in known] == [None] * MOST
