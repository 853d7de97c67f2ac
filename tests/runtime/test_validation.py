"""What is proved before a run: each promise broken once, and the message that names it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime.actions import ActionSpec
from dev_agent.runtime.errors import ProgramRefused
from dev_agent.runtime.joins import joined, unmatched, unused
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import Budgets, FactType, Invariant, JoinRow, Kind, Passing, State
from dev_agent.runtime.validation import prove
from tests.runtime.test_engine import CHECKS, GATED
from tests.runtime.worlds import SINGLE, action, always, program

ACTIONS = (
    action("make", always("made"), "made", facts={"tree": FactType.STR})
    | action("types", always("passed"), *CHECKS, facts={"count": FactType.INT})
    | action("tests", always("passed"), *CHECKS)
    | action("land", always("landed"), "landed")
    | action("work", always("done"), "done", "again")
)

NAMED = "invariants[0]: 'nothing lands unchecked' fails:"


def faults(text: str, actions: Mapping[str, ActionSpec] = ACTIONS) -> list[str]:
    with pytest.raises(ProgramRefused) as caught:
        prove(program(text), actions)
    return [str(fault) for fault in caught.value.faults]


def test_sound_programs_are_proved() -> None:
    prove(program(GATED), ACTIONS)
    prove(program(SINGLE), ACTIONS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'done = "finished"',
            'done = "finishd"',
            "states.work.on.done: no state 'finishd' (did you mean 'finished'?)",
        ),
        ('start = "work"', 'start = "wrk"', "start: no state 'wrk' (did you mean 'work'?)"),
        ('exceeded = "rejected"', 'exceeded = "work"', "budgets.exceeded: 'work' is not a final state"),
        (
            'kind = "action"',
            'kind = "action"\naction = "werk"',
            "states.work: no action 'werk' (did you mean 'work'?)",
        ),
        (', again = "work"', "", "states.work.on: outcome 'again' has no edge"),
        (', error = "rejected" }', " }", "states.work.on: outcome 'error' has no edge"),
        ("again =", "agian =", "states.work.on.agian: never happens (did you mean 'again'?)"),
        (
            'kind = "action"',
            'kind = "action"\nretry = { attempts = 2, on = "erorr" }',
            "states.work.retry.on: 'erorr' never happens (did you mean 'error'?)",
        ),
        (
            "[states.finished]",
            '[states.lost]\nkind = "final"\n[states.finished]',
            "states.lost: cannot be reached from work",
        ),
        (
            "[states.finished]",
            '[states.mute]\nkind = "wait"\non = {}\n[states.finished]',
            "states.mute.on: is empty, but only a final ends a run",
        ),
        (
            "transitions = 20",
            "tokens = 20",
            "budgets: nothing bounds the cycle work → work (set [budgets] transitions, or `visits`",
        ),
    ],
)
def test_each_promise_broken_is_named(old: str, new: str, fault: str) -> None:
    assert old in SINGLE
    assert any(line.startswith(fault) for line in faults(SINGLE.replace(old, new, 1)))


def test_a_bound_on_visits_bounds_a_cycle_and_needs_a_final_to_end_in() -> None:
    visits = SINGLE.replace('kind = "action"', 'kind = "action"\nvisits = 3').replace(
        "transitions = 20\n", ""
    )
    prove(program(visits), ACTIONS)
    without = visits.replace('[budgets]\nexceeded = "rejected"\n', "")
    assert faults(without) == [
        "budgets.exceeded: is missing, but a state bounds its visits (name the final a run ends in then)"
    ]


def test_a_cycle_nobody_can_leave_is_refused() -> None:
    text = """
name = "trap"
start = "work"
[budgets]
transitions = 9
exceeded = "rejected"
[states.work]
kind = "action"
on = { done = "wait_a", again = "rejected", error = "rejected" }
[states.wait_a]
kind = "wait"
on = { go = "wait_b" }
[states.wait_b]
kind = "wait"
on = { go = "wait_a" }
[states.rejected]
kind = "final"
"""
    assert faults(text) == [
        "states.wait_a: cannot reach a final state (lead one of its ways to a final)",
        "states.wait_b: cannot reach a final state (lead one of its ways to a final)",
    ]


def test_a_long_unbounded_cycle_is_shown_with_its_middle_left_out() -> None:
    made = chain(40, closing=True, budgets=Budgets())
    with pytest.raises(ProgramRefused) as caught:
        prove(made, STEP)
    message = next(fault.message for fault in caught.value.faults if fault.where == "budgets")
    assert message.count("→") == 12
    assert " … " in message


def test_an_unbounded_cycle_between_bounded_states_is_found() -> None:
    text = GATED.replace("transitions = 40", "tokens = 5")
    assert any("nothing bounds the cycle" in line and "make" in line for line in faults(text))
    prove(program(text.replace('kind = "parallel"', 'kind = "parallel"\nvisits = 4')), ACTIONS)


def test_a_way_around_a_gate_does_not_load_and_is_shown() -> None:
    around = GATED.replace('failed = "make"', 'failed = "consent"')
    assert faults(around) == [
        (
            f"{NAMED} make -made→ check -failed→ consent -otherwise→ land avoids check -passed→ "
            "(lead that path through the gate)"
        )
    ]


def test_every_gate_of_an_invariant_counts_by_itself() -> None:
    strict = GATED.replace(
        '[["check", "passed"]]', '[["check", ["passed", "failed"]], ["approve", "approved"]]'
    )
    assert faults(strict) == [
        (
            f"{NAMED} make -made→ check -passed→ consent -otherwise→ land avoids approve -approved→ "
            "(lead that path through the gate)"
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('from = ["make"]', 'from = ["mak"]', "invariants[0]: no state 'mak' (did you mean 'make'?)"),
        ('to = ["land"]', 'to = ["lnd"]', "invariants[0]: no state 'lnd' (did you mean 'land'?)"),
        (
            '[["check", "passed"]]',
            '[["chek", "passed"]]',
            "invariants[0]: no state 'chek' (did you mean 'check'?)",
        ),
        (
            '[["check", "passed"]]',
            '[["check", "pased"]]',
            "invariants[0]: check has no edge 'pased' (did you mean 'passed'?)",
        ),
        (
            'from = ["make"]',
            'from = ["committed"]',
            (
                "invariants[0]: no path at all from committed: 'nothing lands unchecked' could not fail "
                "(name states that a run can go between)"
            ),
        ),
    ],
)
def test_an_invariant_that_could_not_fail_is_refused(old: str, new: str, fault: str) -> None:
    assert fault in faults(GATED.replace(old, new, 1))


def test_running_into_a_limit_is_a_path_too() -> None:
    text = GATED.replace('to = ["land"]', 'to = ["rejected"]')
    assert any("make -error→ rejected avoids" in line for line in faults(text))
    only = """
name = "only"
start = "work"
[budgets]
transitions = 9
exceeded = "stopped"
[states.work]
kind = "action"
on = { done = "work", again = "finished", error = "finished" }
[states.finished]
kind = "final"
[states.stopped]
kind = "final"
[[invariants]]
name = "never stopped"
from = ["work"]
to = ["stopped"]
through = [["work", "again"]]
"""
    assert faults(only) == [
        (
            "invariants[0]: 'never stopped' fails: work -budget exceeded→ stopped avoids work -again→ "
            "(lead that path through the gate)"
        )
    ]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("check.types.cuont > 1", "unknown fact 'check.types.cuont'"),
        ("check.unit.count > 1", "unknown fact 'check.unit.count'"),
        ("input.limit == 'x'", "int and str cannot be compared"),
        ("land.outcome > 1", "str and int cannot be compared"),
    ],
)
def test_conditions_are_checked_against_what_actions_declare(when: str, message: str) -> None:
    found = faults(GATED.replace("check.types.count > input.limit", when))
    assert len(found) == 1
    assert found[0].startswith("states.consent.cases[0].when: ")
    assert message in found[0]
    assert "^" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            '  { any = "failed", outcome = "failed" },\n',
            "",
            "states.check.join: no row matches: types passed, unit failed (add a row for it)",
        ),
        (
            '{ any = "failed",',
            '{ any = "faild",',
            "states.check.join[1]: no branch ends in 'faild' (did you mean 'failed'?)",
        ),
        ('{ all = "passed",', '{ all = ["passed", "failed"],', ""),
        ('{ any = "error",', '{ any = ["error", "failed"],', "states.check.join[1]: decides nothing"),
    ],
)
def test_a_join_is_total_and_has_no_idle_row(old: str, new: str, fault: str) -> None:
    text = GATED.replace(old, new, 1)
    if not fault:
        prove(program(text), ACTIONS)
        return
    assert any(line.startswith(fault) for line in faults(text)), faults(text)


def test_an_action_may_not_declare_a_fact_every_state_has() -> None:
    odd = action("work", always("done"), "done", "Again", facts={"outcome": FactType.STR})
    found = faults(SINGLE, odd)
    assert any(line.startswith("action work: 'outcome' cannot name an outcome or fact (") for line in found)
    assert any(line.startswith("action work: 'Again' cannot name an outcome or fact (") for line in found)


def test_all_faults_of_a_program_come_at_once() -> None:
    text = GATED.replace('failed = "make"', 'failed = "consent"').replace("input.limit", "input.limt")
    assert len(faults(text)) == 2


OUTCOMES = ["passed", "failed", "error"]
ROWS = st.lists(
    st.builds(
        JoinRow,
        every=st.booleans(),
        outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, unique=True).map(tuple),
        outcome=st.sampled_from(["a", "b"]),
    ),
    max_size=5,
)


@pytest.mark.law
@given(rows=ROWS, width=st.integers(1, 4))
def test_totality_of_joins_agrees_with_trying_every_combination(rows: list[JoinRow], width: int) -> None:
    branches = {f"b{index}": OUTCOMES for index in range(width)}
    every = list(product(OUTCOMES, repeat=width))
    missing = unmatched(rows, branches)
    assert (missing is None) == all(joined(rows, combination) is not None for combination in every)
    if missing is not None:
        assert joined(rows, missing.values()) is None
    deciding = {
        next((i for i, row in enumerate(rows) if _matches(row, combination)), None) for combination in every
    }
    assert unused(rows, branches) == [index for index in range(len(rows)) if index not in deciding]


def _matches(row: JoinRow, combination: tuple[str, ...]) -> bool:
    return (all if row.every else any)(outcome in row.outcomes for outcome in combination)


def test_a_join_over_sixty_branches_is_proved_without_trying_every_combination() -> None:
    rows = [
        JoinRow(every=False, outcomes=("error",), outcome="error"),
        JoinRow(every=False, outcomes=("failed",), outcome="failed"),
        JoinRow(every=True, outcomes=("passed",), outcome="passed"),
    ]
    branches = {f"b{index}": OUTCOMES for index in range(60)}
    assert unmatched(rows, branches) is None
    assert unused(rows, branches) == []


STEP = action("step", always("next"), "next")


def chain(length: int, *, closing: bool, budgets: Budgets, invariants: tuple[Invariant, ...] = ()) -> Program:
    """A program of so many actions in a row; `closing` sends the last error back to the first."""
    states = {
        f"s{index}": State(
            name=f"s{index}",
            kind=Kind.ACTION,
            action="step",
            on={
                "next": f"s{index + 1}" if index + 1 < length else "end",
                "error": "s0" if closing and index + 1 == length else "end",
            },
        )
        for index in range(length)
    }
    states["end"] = State(name="end", kind=Kind.FINAL)
    return Program(name="chain", start="s0", states=states, budgets=budgets, invariants=invariants)


def test_ten_thousand_states_are_proved_without_recursion() -> None:
    gate = Invariant(
        name="gate",
        sources=("s0",),
        targets=("s9999",),
        through=(Passing(state="s5000", outcomes=("next",)),),
    )
    prove(
        chain(10_000, closing=True, budgets=Budgets(transitions=9, exceeded="end"), invariants=(gate,)), STEP
    )


def test_a_long_offending_path_is_shown_with_its_middle_left_out() -> None:
    gate = Invariant(
        name="gate",
        sources=("s0",),
        targets=("s9999",),
        through=(Passing(state="s5000", outcomes=("error",)),),
    )
    with pytest.raises(ProgramRefused) as caught:
        prove(chain(10_000, closing=False, budgets=Budgets(), invariants=(gate,)), STEP)
    message = caught.value.faults[0].message
    assert "s0 -next→ s1" in message
    assert " … 9987 more …" in message
    assert "s9998 -next→ s9999 avoids" in message


def test_an_unbounded_cycle_of_ten_thousand_states_is_found() -> None:
    with pytest.raises(ProgramRefused) as caught:
        prove(chain(10_000, closing=True, budgets=Budgets()), STEP)
    assert "nothing bounds the cycle" in caught.value.faults[0].message


def test_what_does_not_depend_on_another_fault_is_told_beside_it_with_its_line() -> None:
    text = GATED.replace(
        'error = "rejected" }\n[states.check]', 'error = "rejectd", odd = "land" }\n[states.check]'
    )
    text = text.replace("check.types.count > input.limit", "check.types.count > input.limt")
    text = text.replace('["check", "passed"]', '["check", "past"]')
    with pytest.raises(ProgramRefused) as caught:
        prove(program(text), ACTIONS)
    told = [(fault.where, fault.line, bool(fault.hint)) for fault in caught.value.faults]
    number = text[: text.index("rejectd")].count("\n") + 1
    assert told[:2] == [("states.make.on.error", number, True), ("states.make.on.odd", number, True)]
    assert [where for where, _, _ in told[2:]] == ["states.consent.cases[0].when"]
    assert f"test.toml:{number}: states.make.on.error: no state 'rejectd' (did you mean 'rejected'?)" in str(
        caught.value
    )
