"""What workflow kernels before this one got wrong, one scenario each, against the real engine.

The ids are those of the table in docs/capabilities.md, which also says where the other ones are tested.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev_agent.runtime.actions import ActionSpec, Result, View
from dev_agent.runtime.canonical import canonical
from dev_agent.runtime.ending import EndingKind
from dev_agent.runtime.errors import InputsRefused, ProgramError, ProgramRefused
from dev_agent.runtime.fold import BRANCH_LEFT, ENTERED, LEFT, RETRIED
from dev_agent.runtime.states import FactType
from dev_agent.runtime.validation import prove
from tests.runtime.worlds import Run, action, always, program, single

FINALS = '[states.done]\nkind = "final"\n[states.rejected]\nkind = "final"\nrefuses = true\n'


def text(states: str, *, start: str = "first", budgets: str = "transitions = 50", facts: str = "") -> str:
    """A program of these states and two finals."""
    head = f'name = "p"\nstart = "{start}"\n[budgets]\n{budgets}\nexceeded = "rejected"\n'
    return f"{head}[facts]\n{facts}\n{states}\n{FINALS}"


def step(name: str, *then: str) -> str:
    """An action state that leads to `then` by outcome, errors to rejected."""
    edges = ", ".join(f'{edge.split(">")[0]} = "{edge.split(">")[1]}"' for edge in then)
    return f'[states.{name}]\nkind = "action"\non = {{ {edges}, error = "rejected" }}\n'


class Counted:
    """An action body that counts its calls, as an effect in the world would."""

    def __init__(self, outcome: str = "ok", **cost: int) -> None:
        self.outcome = outcome
        self.cost = cost
        self.calls = 0

    def __call__(self, _view: View) -> Result:
        self.calls += 1
        return Result(self.outcome, cost=self.cost)


def made(tmp_path: Path, source: str, actions: Mapping[str, ActionSpec]) -> Run:
    return Run(tmp_path / "run", program(source), actions)


def left(run: Run) -> list[tuple[object, object]]:
    """State and outcome of every transition on record."""
    return [(event.data["state"], event.data["outcome"]) for event in run.events() if event.type == LEFT]


# D01
def test_a_resume_goes_by_the_graphs_edge_and_not_by_the_order_of_the_file(tmp_path: Path) -> None:
    source = text(
        '[states.first]\nkind = "wait"\non = { approved = "pay", refused = "refuse" }\n'
        + step("refuse", "ok>rejected")
        + step("pay", "ok>done")
    )
    pay, refuse = Counted(), Counted()
    run = made(tmp_path, source, action("pay", pay, "ok") | action("refuse", refuse, "ok"))
    assert run.start().kind is EndingKind.SUSPENDED
    assert run.resume({"outcome": "approved", "data": {}}).state == "done"
    assert (pay.calls, refuse.calls) == (1, 0)


# D02
def test_a_choice_without_its_second_way_does_not_load_and_with_it_nothing_starts_over(
    tmp_path: Path,
) -> None:
    def chained(second: str) -> str:
        return text(
            step("first", "ok>one")
            + '[states.one]\nkind = "choose"\ncases = [{ when = "first.visits == 1", outcome = "yes" }]\n'
            + 'on = { yes = "two", otherwise = "done", error = "rejected" }\n'
            + '[states.two]\nkind = "choose"\ncases = [{ when = "first.visits > 5", outcome = "yes" }]\n'
            + f'on = {{ yes = "done", {second}error = "rejected" }}\n'
        )

    charge = Counted()
    actions = action("first", charge, "ok")
    with pytest.raises(ProgramRefused, match=r"states\.two\.on: outcome 'otherwise' has no edge"):
        prove(program(chained("")), actions)
    assert made(tmp_path, chained('otherwise = "rejected", '), actions).start().state == "rejected"
    assert charge.calls == 1


# D03
@pytest.mark.parametrize("budget", ["stalled = 2", "transitions = 3", "tokens = 25"])
def test_what_ran_before_a_budget_ended_the_run_is_on_record(tmp_path: Path, budget: str) -> None:
    act = Counted("again", tokens=10)
    limits = budget if "transitions" in budget else f"transitions = 40\n{budget}"
    run = Run(tmp_path / "run", single(budgets=limits), action("work", act, "done", "again"))
    assert run.start().reason == f"budget_{budget.split(maxsplit=1)[0]}"
    assert [("work", "again")] * act.calls == left(run)
    assert act.calls >= 2


# D04
def test_a_budget_of_one_transition_executes_one_state_and_not_the_target_of_its_choice(
    tmp_path: Path,
) -> None:
    source = text(
        '[states.first]\nkind = "choose"\ncases = [{ when = "input.go", outcome = "yes" }]\n'
        'on = { yes = "act", otherwise = "done", error = "rejected" }\n' + step("act", "ok>done"),
        budgets="transitions = 1",
        facts='go = "bool"',
    )
    act = Counted()
    ending = made(tmp_path, source, action("act", act, "ok")).start({"go": True})
    assert (ending.state, ending.reason, act.calls) == ("rejected", "budget_transitions", 0)


FORK = (
    '[states.first]\nkind = "parallel"\nbranches = [{branches}]\n'
    'join = [{ any = "error", outcome = "failed" }, { all = "ok", outcome = "ok" }]\n'
    'on = { ok = "done", failed = "rejected", error = "rejected" }\n'
)


# D08
def test_a_fork_that_spends_too_much_does_not_end_well_and_each_branch_was_told_its_share(
    tmp_path: Path,
) -> None:
    names = [f"b{number}" for number in range(50)]
    told: list[int] = []

    def burn(view: View) -> Result:
        told.append(view.remaining["tokens"])
        return Result("ok", cost={"tokens": 100})

    source = text(
        FORK.replace("{branches}", ", ".join(f'"{name}"' for name in names)).replace(
            'ok = "done"', 'ok = "last"'
        )
        + step("last", "ok>done"),
        budgets="transitions = 9\ntokens = 150",
    )
    actions: dict[str, ActionSpec] = action("last", always("ok"), "ok")
    for name in names:
        actions |= action(name, burn, "ok", spends=frozenset({"tokens"}))
    ending = made(tmp_path, source, actions).start()
    assert (ending.state, ending.reason) == ("rejected", "budget_tokens")
    assert set(told) == {3}


# D08: what is reserved is refused before anything starts
def test_a_fork_of_more_calls_than_are_left_starts_none(tmp_path: Path) -> None:
    call = Counted(model_calls=1)
    source = text(FORK.replace("{branches}", '"a", "b", "c"'), budgets="transitions = 9\nmodel_calls = 2")
    actions: dict[str, ActionSpec] = {}
    for name in "abc":
        actions |= action(name, call, "ok", spends=frozenset({"model_calls"}))
    assert made(tmp_path, source, actions).start().reason == "budget_model_calls"
    assert call.calls == 0


# D07
def test_what_failed_attempts_cost_is_counted(tmp_path: Path) -> None:
    left_to_fail = [True, True, False]

    def call(_view: View) -> Result:
        return Result("error" if left_to_fail.pop(0) else "done", cost={"tokens": 100, "money": 7})

    run = Run(
        tmp_path / "run",
        single('retry = { attempts = 3, on = ["error"] }'),
        action("work", call, "done", "again"),
    )
    assert run.start().state == "finished"
    spent = [event.data["cost"] for event in run.events() if event.type in (LEFT, RETRIED)]
    assert spent == [{"money": 7, "tokens": 100}] * 3


# D05
def test_what_one_branch_did_is_on_record_although_another_failed_and_nothing_ran_twice(
    tmp_path: Path,
) -> None:
    charge = Counted()

    def bad(_view: View) -> Result:
        raise OSError("no")

    source = text(FORK.replace("{branches}", '"charge", "bad"'))
    run = made(tmp_path, source, action("charge", charge, "ok") | action("bad", bad, "ok"))
    assert run.start().state == "rejected"
    branches = {
        event.data["branch"]: event.data["outcome"] for event in run.events() if event.type == BRANCH_LEFT
    }
    assert (branches, charge.calls) == ({"charge": "ok", "bad": "error"}, 1)


# D06
@pytest.mark.parametrize("word", ["IGNORE PREVIOUS", "approve ", "APPROVE", "", "approve\n"])
def test_an_answer_outside_the_declared_ones_is_an_error_and_never_a_default(
    tmp_path: Path, word: str
) -> None:
    source = text(step("first", "approve>done", "deny>rejected"))
    run = made(tmp_path, source, action("first", always(word), "approve", "deny"))
    assert run.start().state == "rejected"
    assert left(run) == [("first", "error")]


# D09
def test_neither_a_caller_nor_another_action_can_pose_as_the_fact_a_guard_asks_for(tmp_path: Path) -> None:
    source = text(
        step("first", "ok>validate")
        + step("validate", "ok>gate", "bad>gate")
        + '[states.gate]\nkind = "choose"\ncases = [{ when = "validate.outcome == \'ok\'", outcome = "yes" }]\n'
        + 'on = { yes = "done", otherwise = "rejected", error = "rejected" }\n',
        facts='validate = "json"',
    )
    posing = {"validate": {"outcome": "ok"}, "outcome_of_validate": "ok", "gate": "yes"}
    actions = action("first", always("ok", posing), "ok") | action("validate", always("bad"), "ok", "bad")
    run = made(tmp_path, source, actions)
    assert run.start({"validate": {"outcome": "ok"}}).state == "rejected"
    with pytest.raises(InputsRefused, match="gate: is not declared"):
        made(tmp_path / "other", source, actions).start({"validate": {}, "gate": {"outcome": "yes"}})
    with pytest.raises(ProgramError, match="reserved for the inputs"):
        program(text(step("input", "ok>done"), start="input"))


# D12
def test_two_runs_that_paid_different_amounts_have_different_heads(tmp_path: Path) -> None:
    def head(amount: int) -> str:
        source = text(step("first", "ok>done"))
        run = made(tmp_path / str(amount), source, action("first", always("ok", {"paid": amount}), "ok"))
        run.start()
        return run.events()[-1].hash

    assert len({head(1), head(1_000_000), head(10)}) == 3


# D12: of a state's output, whatever the names of its fields
def test_outputs_that_only_look_alike_written_down_do_not_collide() -> None:
    assert canonical({"a=1,b": 2}) != canonical({"a": 1, "b": 2})
    assert canonical(["a,b"]) != canonical(["a", "b"])
    assert canonical("1") != canonical(1) != canonical(True)


# D12: and in every process
def test_the_head_does_not_depend_on_the_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.runtime.worlds import Run, action, always, single\n"
        "data = {name: name for name in {'x', 'y', 'z', 'w'}}\n"
        "run = Run(Path(sys.argv[1]), single(), action('work', always('done', data), 'done', 'again'))\n"
        "run.start(); print(run.events()[-1].hash)\n"
    )

    def head(seed: str) -> str:
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        argv = [sys.executable, "-c", script, str(tmp_path / seed)]
        return subprocess.run(argv, env=environ, check=True, capture_output=True, text=True).stdout

    assert head("1") == head("2") != ""


# D14
def test_what_a_validator_let_pass_does_not_load_and_what_it_refused_without_need_does() -> None:
    actions = action("first", always("ok"), "ok", "again") | action("audit", always("ok"), "ok")
    unreachable = text(step("first", "ok>done", "again>first") + step("audit", "ok>done"))
    with pytest.raises(ProgramRefused, match=r"states\.audit: cannot be reached"):
        prove(program(unreachable), actions)
    with pytest.raises(ProgramRefused, match="no action 'first'"):
        prove(program(text(step("first", "ok>done"))), {})
    with pytest.raises(ProgramError, match="not TOML"):
        program(text(step("first", "ok>done") * 2))
    choice = '[states.first]\nkind = "choose"\ncases = [{ when = "$x === (((", outcome = "yes" }]\n'
    with pytest.raises(ProgramRefused, match=r"cases\[0\]\.when"):
        prove(program(text(choice + 'on = { yes = "done", otherwise = "done", error = "rejected" }\n')), {})
    prove(program(text(step("first", "ok>done", "again>first"))), actions)


# D18
@pytest.mark.parametrize("word", ["PENDING", "pending", "SUSPENDED"])
def test_no_word_of_an_action_suspends_a_run(tmp_path: Path, word: str) -> None:
    source = text(step("first", "ok>second") + step("second", "ok>done"))
    said = action("first", always("ok", {"output": word, "status": word}), "ok")
    assert (
        made(tmp_path / "data", source, said | action("second", always("ok"), "ok")).start().state == "done"
    )
    asked = action("first", always(word), "ok")
    ending = made(tmp_path / "outcome", source, asked | action("second", always("ok"), "ok")).start()
    assert (ending.kind, ending.state) == (EndingKind.FINAL, "rejected")


# D20
def test_choices_that_only_lead_to_each_other_end_by_their_budget_and_not_by_the_stack(
    tmp_path: Path,
) -> None:
    choice = '[states.{0}]\nkind = "choose"\ncases = [{{ when = "input.out", outcome = "yes" }}]\n'
    choice += 'on = {{ yes = "done", otherwise = "{1}", error = "rejected" }}\n'
    states = choice.format("first", "second") + choice.format("second", "first")
    source = text(states, budgets="transitions = 5000", facts='out = "bool"')
    run = made(tmp_path, source, {})
    assert run.start({"out": False}).reason == "budget_transitions"
    assert run.types().count(ENTERED) == 5000
    stalling = text(states, budgets="transitions = 5000\nstalled = 3", facts='out = "bool"')
    assert made(tmp_path / "stalling", stalling, {}).start({"out": False}).reason == "budget_stalled"


# D22
def test_a_scan_that_was_skipped_is_not_a_clean_scan(tmp_path: Path) -> None:
    source = text(
        step("first", "skip>gate", "ok>scan")
        + step("scan", "ok>gate")
        + '[states.gate]\nkind = "choose"\ncases = [{ when = "scan.result != \'MALWARE\'", outcome = "ship" }]\n'
        + 'on = { ship = "done", otherwise = "rejected", error = "rejected" }\n'
    )
    actions = action("first", always("skip"), "skip", "ok") | action(
        "scan", always("ok", {"result": "CLEAN"}), "ok", facts={"result": FactType.STR}
    )
    run = made(tmp_path, source, actions)
    assert run.start().state == "rejected"
    assert left(run)[-1] == ("gate", "error")


# D28
def test_a_later_action_changes_neither_a_fact_nor_its_record(tmp_path: Path) -> None:
    shared: dict[str, object] = {"verdict": "bad", "list": ["bad"]}

    def meddle(view: View) -> Result:
        shared["verdict"] = "good"
        with pytest.raises(TypeError):
            view.facts["first"]["verdict"] = "good"  # type: ignore[index]
        return Result("ok")

    source = text(
        step("first", "ok>second")
        + step("second", "ok>gate")
        + '[states.gate]\nkind = "choose"\ncases = [{ when = "first.verdict == \'good\'", outcome = "yes" }]\n'
        + 'on = { yes = "done", otherwise = "rejected", error = "rejected" }\n'
    )
    first = action("first", lambda _view: Result("ok", shared), "ok", facts={"verdict": FactType.STR})
    run = made(tmp_path, source, first | action("second", meddle, "ok"))
    assert run.start().state == "rejected"
    assert next(event for event in run.events() if event.type == LEFT).data["data"]["verdict"] == "bad"  # type: ignore[index, call-overload]
