"""Program files: all faults of a file at once, each with its place and a remedy; one digest per content."""

from __future__ import annotations

import textwrap

import pytest

from dev_agent.runtime import program as program_module
from dev_agent.runtime.errors import ProgramError
from dev_agent.runtime.graph import mermaid, text
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.states import FactType, Kind, Retry
from tests.runtime.worlds import SINGLE, program

NAME_RULE = "(use lower-case letters, digits and _, starting with a letter, no Python keyword)"


def sample() -> str:
    """The program of the module's own docstring: what is documented is what loads."""
    documentation = program_module.__doc__ or ""
    return textwrap.dedent(documentation.split("\n\n", 1)[1].rsplit("\n\nLoading", 1)[0])


def faults(source: str) -> list[str]:
    with pytest.raises(ProgramError) as caught:
        load_program(source, source="bad.toml")
    assert caught.value.message.startswith("bad.toml:")
    return [str(fault) for fault in caught.value.faults]


def test_the_documented_grammar_loads() -> None:
    made = load_program(sample(), source="doc")
    assert [state.kind for state in made.states.values()] == [
        Kind.ACTION,
        Kind.PARALLEL,
        Kind.CHOOSE,
        Kind.WAIT,
        Kind.FINAL,
        Kind.FINAL,
    ]
    work, check = made.states["work"], made.states["check"]
    assert (work.timeout_ms, work.visits, work.durable) == (60_000, 5, True)
    assert work.retry == Retry(attempts=3, on=("error",), backoff_ms=200, cap_ms=5000)
    assert [(branch.name, branch.action) for branch in check.branches] == [
        ("types", "types"),
        ("unit", "tests"),
    ]
    assert made.states["approve"].facts == {"tree": FactType.STR}
    assert made.budgets.tokens == 500_000


def test_a_digest_ignores_spelling_and_order_and_nothing_else() -> None:
    first = program(SINGLE)
    shuffled = (
        SINGLE.replace('[states.finished]\nkind = "final"\n', "# a comment\n")
        + '[states.finished]\nkind = "final"\n'
    )
    assert program(shuffled).digest == first.digest
    assert len(first.digest) == 64
    for old, new in [
        ("transitions = 20", "transitions = 21"),
        ('done = "finished"', 'done = "rejected"'),
        ('kind = "action"', 'kind = "action"\ndurable = true'),
        ('kind = "action"', 'kind = "action"\nretry = { attempts = 2 }'),
        ('name = "single"', 'name = "other"'),
        ('name = "single"', 'name = "single"\nversion = 2'),
    ]:
        assert program(SINGLE.replace(old, new, 1)).digest != first.digest, new


def test_the_order_of_branches_cases_and_join_rows_is_content() -> None:
    first = load_program(sample(), source="doc").digest
    swapped = sample().replace(
        '["types", { name = "unit", action = "tests" }]', '[{ name = "unit", action = "tests" }, "types"]'
    )
    assert swapped != sample()
    assert load_program(swapped, source="doc").digest != first


def test_a_loaded_program_cannot_be_changed() -> None:
    made = program(SINGLE)
    with pytest.raises(TypeError):
        made.states["work"].on["done"] = "rejected"  # type: ignore[index]
    with pytest.raises(AttributeError):
        made.start = "finished"  # type: ignore[misc]


def test_all_faults_of_a_file_come_at_once_with_their_places() -> None:
    found = faults("""
        nam = "x"
        start = 3
        [facts]
        task = "text"
        Bad = "str"
        [budgets]
        transition = 3
        tokens = -1
        stalled = 1
        wall_ms = 1.5
        [states.a]
        kind = "acton"
        [states.b]
        kind = "parallel"
        branches = [3, { name = "x", acton = "y" }, "x", "x", "outcome"]
        join = [{ any = "error", all = "passed", outcome = "z" }, 4]
        [states.c]
        kind = "choose"
        cases = [{ when = "", outcome = "otherwise" }, { outcome = "x" }]
        on = { x = "Y" }
        [states.input]
        kind = "wait"
        facts = { visits = "int" }
        on = 3
        [states.class]
        kind = "final"
        [states.d]
        kind = "final"
        on = { x = "y" }
        [states.e]
        kind = "action"
        durable = 1
        visits = true
        on = { done = "d" }
        retry = { on = [], cap = 3, backoff_ms = "x" }
        [[invariants]]
        from = "a"
        through = [["x"], ["a", ["b", "b"]], ["a", 3]]
    """)
    expected = [
        "name: is missing (did you mean 'nam'?)",
        'start: must be text, not int (write text in quotes: "...")',
        "facts.task: unknown task 'text' (known: bool, int, json, list, str)",
        "facts.Bad: 'Bad' is not a name " + NAME_RULE,
        "budgets.tokens: must be between 0 and 2**53 - 1 (write a whole number in that range)",
        "budgets.wall_ms: must be an integer, not float (write a whole number, without quotes)",
        "budgets.stalled: must be between 2 and 2**53 - 1 (write a whole number in that range)",
        "budgets.transition: unknown key (did you mean 'transitions'?)",
        "budgets.exceeded: is missing (name the final a run ends in when a budget is exceeded)",
        "states.a.kind: unknown kind 'acton' (did you mean 'action'?)",
        "states.b.on: is missing (map every outcome to the next state)",
        'states.b.branches[0].name: must be text, not int (write text in quotes: "...")',
        "states.b.branches[1].acton: unknown key (did you mean 'action'?)",
        "states.b.branches: 'x' is named twice (give each branch a name of its own)",
        "states.b.branches: 'outcome' is a fact every state has already (choose another name)",
        "states.b.join[1]: must be a table (write { key = value })",
        "states.b.join[0]: needs exactly one of 'any' and 'all' (keep the one that is meant)",
        "states.c.on.x: 'Y' is not a name " + NAME_RULE,
        "states.c.cases[0].when: must not be empty (write a text, or leave the key out where that is allowed)",
        "states.c.cases[1].when: is missing (write a condition over facts)",
        "states.c.cases: 'otherwise' is not a case's outcome to give (choose another name)",
        "states.input: is reserved for the inputs of a run (choose another name)",
        "states.input.facts.visits: is a fact every state has already (choose another name)",
        "states.input.on: must be a table, not int (write { key = value }, or a [section])",
        "states.class: 'class' is not a name " + NAME_RULE,
        "states.d.on: unknown key (known: durable, kind, timeout_ms, visits)",
        "states.e.retry.on: must not be empty (name at least one)",
        "states.e.retry.backoff_ms: must be an integer, not str (write a whole number, without quotes)",
        "states.e.retry.attempts: is missing (say how often the action may run per visit)",
        "states.e.retry.cap: unknown key (did you mean 'cap_ms'?)",
        "states.e.visits: must be an integer, not bool (write a whole number, without quotes)",
        "states.e.durable: must be true or false, not int (write true or false, without quotes)",
        "invariants[0].to: is missing (name one state or a list of states)",
        'invariants[0].through[0]: must be [state, outcome] or [state, [outcomes]] (for example ["check", "passed"])',
        "invariants[0].through[1].outcomes: names something twice (keep one of them)",
        'invariants[0].through[2].outcomes: must be a name or a list of names (write ["a", "b"] or "a")',
        "invariants[0].name: is missing (say in words what holds)",
        "nam: unknown key (did you mean 'name'?)",
    ]
    for line in expected:
        if line.startswith("states.d.on"):
            assert any(one.startswith("states.d.on: unknown key") for one in found)
        else:
            assert line in found
    assert len(found) == len(expected), sorted(set(found) - set(expected))


def test_every_fault_has_a_remedy_and_comes_in_the_order_of_the_file_with_its_line() -> None:
    text = (
        'name = "x"\n'
        'start = "plna"\n'
        "versoin = 2\n"
        "[budgets]\n"
        'transitions = "many"\n'
        "[states.plan]\n"
        'kind = "action"\n'
        'on = { done = "donne", error = "done" }\n'
        "[states.plan.retry]\n"
        "attempts = 1\n"
        "[states.done]\n"
        'kind = "finall"\n'
        "[[invariants]]\n"
        'name = "n"\n'
    )
    with pytest.raises(ProgramError) as caught:
        load_program(text, source="plan.toml")
    assert all(fault.hint for fault in caught.value.faults)
    assert caught.value.message.splitlines() == [
        "plan.toml:",
        "  plan.toml:2: start: no state 'plna' (did you mean 'plan'?)",
        "  plan.toml:3: versoin: unknown key (did you mean 'version'?)",
        "  plan.toml:4: budgets.exceeded: is missing (name the final a run ends in when a budget is exceeded)",
        "  plan.toml:5: budgets.transitions: must be an integer, not str (write a whole number, without quotes)",
        "  plan.toml:8: states.plan.on.done: no state 'donne' (did you mean 'done'?)",
        (
            "  plan.toml:10: states.plan.retry.attempts: must be between 2 and 2**53 - 1 "
            "(write a whole number in that range)"
        ),
        "  plan.toml:12: states.done.kind: unknown kind 'finall' (did you mean 'final'?)",
        "  plan.toml:13: invariants[0].from: is missing (name one state or a list of states)",
        "  plan.toml:13: invariants[0].to: is missing (name one state or a list of states)",
        "  plan.toml:13: invariants[0].through: is missing (name the gates: [[state, outcome]])",
    ]


def test_a_syntax_fault_has_its_line() -> None:
    with pytest.raises(ProgramError, match=r"bad\.toml:2: file: not TOML"):
        load_program('name = "x"\nstart = \n', source="bad.toml")


def test_where_a_field_stands_is_no_part_of_what_a_program_means() -> None:
    made = load_program(sample(), source="a.toml")
    moved = load_program(f"# a comment\n\n{sample()}", source="b.toml")
    assert (made, made.digest) == (moved, moved.digest)
    assert made.lines["start"] + 2 == moved.lines["start"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("name = ", "file: not TOML"),
        ("x = " + "[" * 100_000, "file: not TOML"),
        ("#" * 9_000_000, "file: longer than"),
        ('name = "\ud800"', "file: not TOML"),
    ],
)
def test_what_is_no_toml_is_refused(source: str, message: str) -> None:
    assert faults(source)[0].startswith(message)


def test_a_program_without_states_or_parts_says_what_is_missing() -> None:
    assert "states: is missing (a program needs at least a start and a final state)" in faults(
        'name = "x"\nstart = "a"'
    )
    found = faults(
        'name = "x"\nstart = "a"\n[states.a]\nkind = "parallel"\non = {}\n[states.b]\nkind = "choose"\non = {}'
    )
    assert "states.a.branches: is missing or empty (name at least one branch)" in found
    assert any(line.startswith("states.a.join: is missing or empty") for line in found)
    assert any(line.startswith("states.b.cases: is missing or empty") for line in found)


def test_a_join_of_too_many_rows_is_refused() -> None:
    rows = ", ".join(f'{{ any = "o{index}", outcome = "x" }}' for index in range(13))
    found = faults(
        f'name = "x"\nstart = "a"\n[states.a]\nkind = "parallel"\nbranches = ["b"]\njoin = [{rows}]\non = {{ x = "a" }}'
    )
    assert found == ["states.a.join: has more than 12 rows (merge rows of the same outcome)"]


def test_backoff_doubles_up_to_its_cap_however_often() -> None:
    retry = Retry(attempts=10**9, on=("error",), backoff_ms=100, cap_ms=1000)
    assert [retry.wait_ms(attempt) for attempt in (1, 2, 3, 4, 5, 10**9)] == [100, 200, 400, 800, 1000, 1000]


def test_the_pictures_show_every_state_and_edge() -> None:
    made = load_program(sample(), source="doc")
    drawn, table = mermaid(made), text(made)
    for index, state in enumerate(made.states.values()):
        assert f'"{state.name}"' in drawn
        assert f"{state.name}  (" in table
        for outcome, target in state.on.items():
            assert f"    s{index} -->|{outcome}| s{list(made.states).index(target)}\n" in drawn
            assert f"    {outcome} → {target}\n" in table
    assert "(parallel: types, unit)" in table
    assert "start(( )) --> s0" in drawn


def test_the_text_names_an_action_that_is_not_the_states_own() -> None:
    made: Program = program(SINGLE.replace('kind = "action"', 'kind = "action"\naction = "other"'))
    assert "work  (action other)" in text(made)
