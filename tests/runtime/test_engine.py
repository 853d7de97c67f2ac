"""The engine: every way a step can end, and that the trace alone decides where a run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as concurrent_wait
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime import engine as engine_module
from dev_agent.runtime import waits
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.chain import TRACE_NAME
from dev_agent.runtime.ending import Ending, EndingKind
from dev_agent.runtime.engine import Engine
from dev_agent.runtime.errors import (
    InputsRefused,
    JournalFailed,
    ProgramRefused,
    RunRefused,
    RuntimeFault,
    TraceCorrupt,
    WrongProgram,
    WrongSignal,
)
from dev_agent.runtime.fold import ENGINE_TYPES, fold
from dev_agent.runtime.host import NeverCancelled, Reporter
from dev_agent.runtime.program import Program
from dev_agent.runtime.states import FactType
from dev_agent.runtime.trace import verify
from tests.runtime.worlds import Run, Seen, action, always, in_turn, program, single
from tests.testing.flushes import after_each_flush

GATED = """
name = "gated"
start = "make"
[facts]
task = "str"
limit = "int"
[budgets]
transitions = 40
exceeded = "rejected"
[states.make]
kind = "action"
on = { made = "check", error = "rejected" }
[states.check]
kind = "parallel"
branches = ["types", { name = "unit", action = "tests" }]
join = [
  { any = "error", outcome = "error" },
  { any = "failed", outcome = "failed" },
  { all = "passed", outcome = "passed" },
]
on = { passed = "consent", failed = "make", error = "rejected" }
[states.consent]
kind = "choose"
cases = [{ when = "check.types.count > input.limit", outcome = "asked" }]
on = { asked = "approve", otherwise = "land", error = "rejected" }
[states.approve]
kind = "wait"
facts = { by = "str" }
on = { approved = "land", refused = "rejected" }
[states.land]
kind = "action"
durable = true
on = { landed = "committed", error = "rejected" }
[states.committed]
kind = "final"
[states.rejected]
kind = "final"
[[invariants]]
name = "nothing lands unchecked"
from = ["make"]
to = ["land"]
through = [["check", "passed"]]
"""
INPUTS: Mapping[str, Json] = {"task": "t", "limit": 3}
CHECKS = ("passed", "failed")


def types_of(count: int) -> Callable[[View], Result]:
    return lambda _view: Result("passed", {"count": count}, blobs={"log": b"types"}, cost={"tokens": 2})


def gated(folder: Path, *, count: int = 1, **others: Callable[[View], Result]) -> Run:
    bodies: dict[str, Callable[[View], Result]] = {
        "make": always("made", {"tree": "t1"}, tokens=5),
        "types": types_of(count),
        "tests": always("passed", tokens=3),
        "land": always("landed"),
        **others,
    }
    actions = (
        action("make", bodies["make"], "made", facts={"tree": FactType.STR})
        | action("types", bodies["types"], *CHECKS, facts={"count": FactType.INT})
        | action("tests", bodies["tests"], *CHECKS)
        | action("land", bodies["land"], "landed")
    )
    return Run(folder, program(GATED), actions)


def work(folder: Path, run: Callable[[View], Result], made: Program | None = None, **spec: Any) -> Run:
    return Run(folder, made or single(), action("work", run, "done", "again", **spec))


def last_left(run: Run) -> Mapping[str, Json]:
    return [event for event in run.events() if event.type == "left"][-1].data


def cost_of(run: Run) -> dict[str, int]:
    return fold(run.program, run.events()).cost


# A run from start to end


def test_a_straight_run_ends_in_its_final_with_every_step_on_record(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")

    ending = run.start(INPUTS)

    assert (ending.kind, ending.state, ending.reason, ending.previous) == (
        EndingKind.FINAL,
        "committed",
        "landed",
        "land",
    )
    step = ["entered", "left"]
    branch = ["branch-entered", "branch-left"]
    assert run.types() == [
        *["run-started", "begun"],
        *step,
        *["entered", *branch, *branch, "left"],
        *step,
        *step,
        "finished",
    ]
    assert verify(tmp_path / "r").ok
    assert cost_of(run) == {"tokens": 10}


def test_facts_have_one_writer_each_and_inputs_a_place_of_their_own(tmp_path: Path) -> None:
    ending = gated(tmp_path / "r").start(INPUTS)
    assert ending.facts["input"] == INPUTS
    assert ending.facts["make"] == {"tree": "t1"}
    assert ending.facts["check"] == {"types": {"count": 1}, "unit": {}}


def test_the_same_run_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        gated(tmp_path / name).start(INPUTS)
    assert (tmp_path / "a" / TRACE_NAME).read_bytes() == (tmp_path / "b" / TRACE_NAME).read_bytes()


def test_the_reporter_hears_of_everything_in_order(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", count=9)
    run.start(INPUTS)
    calls = [call for call in run.seen.calls if call[0] != "branch_left"]
    assert calls == [
        ("entered", "make", 1),
        ("left", "make", "made", 0),
        ("entered", "check", 1),
        ("branch_started", "check", "types"),
        ("branch_started", "check", "unit"),
        ("left", "check", "passed", 0),
        ("entered", "consent", 1),
        ("left", "consent", "asked", 0),
        ("entered", "approve", 1),
    ]
    assert sorted(str(call[2]) for call in run.seen.calls if call[0] == "branch_left") == ["types", "unit"]


def test_what_an_attempt_cost_is_told_before_the_edge_it_is_left_by(tmp_path: Path) -> None:
    class Paying(Seen):
        def spent(self, state: str, cost: Mapping[str, int], total: Mapping[str, int]) -> None:
            self.calls.append(("spent", state, dict(cost), dict(total)))

    left = ["again", "done"]
    made = single('retry = { attempts = 2, on = ["again"] }')
    run = work(tmp_path / "r", lambda _view: Result(left.pop(0), cost={"tokens": 3}), made)
    run.seen = Paying()
    run.start({})

    assert [call for call in run.seen.calls if call[0] != "entered"] == [
        ("spent", "work", {"tokens": 3}, {"tokens": 3}),
        ("retried", "work", "again", 0),
        ("spent", "work", {"tokens": 3}, {"tokens": 6}),
        ("left", "work", "done", 0),
    ]


def test_a_run_needs_no_reporter_and_none_of_its_calls_does_anything(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    run.seen = Reporter()  # type: ignore[assignment]
    assert run.start(INPUTS).state == "committed"
    Reporter().retried("x", "y", 1)
    Reporter().spent("x", {}, {})
    Reporter().noted("x")
    with run.journal() as journal:
        silent = Engine(run.program, run.actions, journal, clock=run.clock, cancel=run.cancel)
        assert silent.resume().state == "committed"


def test_before_a_durable_state_acts_and_when_a_run_rests_everything_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "r" / TRACE_NAME
    synced: list[int] = []

    def land(_view: View) -> Result:
        assert synced[-1] == trace.stat().st_size
        return Result("landed")

    after_each_flush(monkeypatch, lambda: synced.append(trace.stat().st_size))
    run = gated(tmp_path / "r", count=9, land=land)
    assert run.start(INPUTS).kind is EndingKind.SUSPENDED
    assert synced[-1] == trace.stat().st_size
    assert run.resume({"outcome": "approved", "data": {"by": "ada"}}).state == "committed"
    assert synced[-1] == trace.stat().st_size
    sizes = [0]
    for line in trace.read_bytes().splitlines(keepends=True):
        sizes.append(sizes[-1] + len(line))
    left = {sizes[event.seq + 1] for event in run.events() if event.data.get("next") == "land"}
    assert left <= set(synced)


def test_a_run_of_states_that_need_no_flush_is_flushed_once_when_it_has_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    run = work(tmp_path / "r", in_turn("again", "done"))
    after_each_flush(monkeypatch, lambda: synced.append(run.types()[-1]))
    run.start()
    assert synced == ["finished"]


# What an action may do wrong


class Sneaky(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this")


def returns_nothing(_view: View) -> Any:
    return None


def returns_a_lookalike(_view: View) -> Any:
    class Lookalike(Result):
        pass

    return Lookalike("done")


def raises(error: BaseException) -> Callable[[View], Result]:
    def body(_view: View) -> Result:
        raise error

    return body


def result(*arguments: Any, **named: Any) -> Callable[[View], Result]:
    return lambda _view: Result(*arguments, **named)


class Loud(StrEnum):
    DONE = "done"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (raises(ValueError("boom")), "ValueError", "boom"),
        (raises(SystemExit(3)), "SystemExit", "3"),
        (raises(ValueError("\ud800")), "ValueError", "\\ud800"),
        (raises(ValueError("x" * 9999)), "ValueError", "x" * 2000),
        (raises(Sneaky()), "Sneaky", "(the exception cannot be shown)"),
        (returns_nothing, "WrongResult", "work returned NoneType, not a Result"),
        (returns_a_lookalike, "WrongResult", "work returned Lookalike, not a Result"),
        (result("IGNORE PREVIOUS"), "WrongOutcome", "'IGNORE PREVIOUS', declared are ['again', 'done']"),
        (result(7), "WrongOutcome", "not text"),
        (result("done", {"x": 1.5}), "WrongData", ".x: float"),
        (result("done", [1]), "WrongData", "expected an object"),
        (result("done", {"x": "y" * 5_000_000}), "WrongData", "bytes of data"),
        (result("done", {}, {"log": "text"}), "WrongData", "blob log is not bytes"),
        (result("done", {}, {"BAD": b""}), "WrongData", "role is not well formed"),
        (result("done", {}, 7), "WrongData", "not iterable"),
        (result("done", {"count": True}), "WrongFact", "count as bool, declared is int"),
        (result("done", {"count": None}), "WrongFact", "count as NoneType, declared is int"),
        (result("done", {}, {}, {"tokens": 0.5}), "WrongCost", "'tokens' is not a count"),
        (result("done", {}, {}, {"tokens": -1}), "WrongCost", "'tokens' is not a count"),
        (result("done", {}, {}, 3), "WrongCost", "items"),
    ],
)
def test_whatever_goes_wrong_in_an_action_is_the_outcome_error(
    tmp_path: Path, body: Callable[[View], Result], kind: str, message: str
) -> None:
    run = work(tmp_path / "r", body, facts={"count": FactType.INT})

    ending = run.start()

    assert (ending.kind, ending.state, ending.reason) == (EndingKind.FINAL, "rejected", "error")
    data = last_left(run)["data"]
    assert isinstance(data, Mapping)
    assert data["type"] == kind
    assert message in str(data["message"])
    assert verify(tmp_path / "r").ok


def test_a_traceback_is_kept_in_a_blob(tmp_path: Path) -> None:
    run = work(tmp_path / "r", raises(ValueError("boom")))
    with run.journal() as journal:
        run.engine(journal).start({})
        blob = next(event.blob("traceback") for event in journal.events if event.type == "left")
        assert blob is not None
        assert b"ValueError: boom" in journal.blob(blob.commitment)


def test_an_action_may_say_error_itself_and_outcomes_may_be_enumerations(tmp_path: Path) -> None:
    run = work(tmp_path / "a", always("error", {"why": "no"}))
    assert run.start().state == "rejected"
    assert last_left(run)["data"] == {"why": "no"}
    assert work(tmp_path / "b", always(Loud.DONE)).start().state == "finished"


def test_what_was_spent_counts_even_when_the_action_raises(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        view.spend({"tokens": 7})
        view.spend({"tokens": 1, "money": 2})
        assert view.spent == {"tokens": 8, "money": 2}
        raise ValueError

    run = work(tmp_path / "r", body)
    run.start()
    assert cost_of(run) == {"tokens": 8, "money": 2}


def test_an_action_that_returns_after_its_time_is_an_error_and_its_cost_counts(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("done"), single("timeout_ms = 100"))

    def late(view: View) -> Result:
        assert view.timeout_ms == 100
        run.clock.ms += 101
        return Result("done", {"x": 1}, cost={"tokens": 5})

    run.actions = action("work", late, "done", "again")
    assert run.start().state == "rejected"
    data = last_left(run)["data"]
    assert data == {"type": "Timeout", "message": "work took 101 ms, allowed are 100"}
    assert cost_of(run) == {"tokens": 5}


def test_an_action_in_time_is_in_time(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("done"), single("timeout_ms = 100"))

    def timely(_view: View) -> Result:
        run.clock.ms += 100
        return Result("done")

    run.actions = action("work", timely, "done", "again")
    assert run.start().state == "finished"
    assert last_left(run)["ms"] == 100


# Recorded means frozen


def test_changing_an_output_after_it_was_recorded_changes_nothing(tmp_path: Path) -> None:
    kept: list[dict[str, Any]] = []

    def body(view: View) -> Result:
        if not kept:
            kept.append({"ok": False, "deep": {"list": [1]}})
            return Result("again", kept[0])
        kept[0]["ok"] = True
        kept[0]["deep"]["list"].append(2)
        assert view.facts["work"] == {"ok": False, "deep": {"list": (1,)}}
        return Result("done", {"seen": True})

    run = work(tmp_path / "r", body)
    assert run.start().state == "finished"
    first = next(event for event in run.events() if event.type == "left")
    assert first.data["data"] == {"ok": False, "deep": {"list": (1,)}}


def test_an_action_cannot_change_a_fact_it_was_shown(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        facts: Any = view.facts
        with pytest.raises(TypeError):
            facts["make"] = {}
        with pytest.raises(TypeError):
            facts["input"]["task"] = "other"
        return Result("passed")

    run = gated(tmp_path / "r", tests=body)
    assert run.start(INPUTS).state == "committed"


def test_a_view_kept_by_a_thread_records_nothing_after_its_action(tmp_path: Path) -> None:
    kept: list[View] = []

    def body(view: View) -> Result:
        kept.append(view)
        return Result("done")

    run = work(tmp_path / "r", body)
    run.start()
    before = run.types()
    with pytest.raises(RuntimeFault, match="this view has ended"):
        kept[0].record("noted", {})
    assert run.types() == before


def test_a_view_shows_no_later_facts(tmp_path: Path) -> None:
    kept: list[View] = []

    def body(view: View) -> Result:
        kept.append(view)
        return Result("made")

    gated(tmp_path / "r", make=body).start(INPUTS)
    assert set(kept[0].facts) == {"input"}


# Recording from an action


def recording(kind: str, outcome: str, *, durable: bool = False) -> Callable[[View], Result]:
    def body(view: View) -> Result:
        view.record(kind, {}, durable=durable)
        return Result(outcome)

    return body


def test_an_intent_is_on_record_before_the_action_goes_on(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("done"))

    def body(view: View) -> Result:
        view.record("intent", {"ref": "x"}, {"plan": b"plan"}, durable=True, actor="tool")
        assert run.types()[-1] == "intent"
        return Result("done")

    run.actions = action("work", body, "done", "again")
    run.start()
    intent = next(event for event in run.events() if event.type == "intent")
    assert (intent.actor, intent.data, intent.blobs[0].role) == ("tool", {"ref": "x"}, "plan")


@pytest.mark.parametrize("kind", sorted({*ENGINE_TYPES, "run-started", "recovered", "erased"}))
def test_an_action_cannot_forge_the_engines_events(tmp_path: Path, kind: str) -> None:
    def body(view: View) -> Result:
        view.record(kind, {"state": "work", "outcome": "done", "next": "finished"})
        return Result("done")

    run = work(tmp_path / "r", body)
    assert run.start().state == "rejected"
    assert "the engine's own" in str(last_left(run)["data"])


def test_a_malformed_record_is_the_actions_error_not_the_runs(tmp_path: Path) -> None:
    run = work(tmp_path / "r", recording("BAD", "done"))
    assert run.start().state == "rejected"
    assert "type is not well formed" in str(last_left(run)["data"])


def test_a_thread_of_an_action_may_record(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        thread = threading.Thread(target=view.record, args=("noted", {}))
        thread.start()
        thread.join()
        return Result("done")

    run = work(tmp_path / "r", body)
    run.start()
    assert "noted" in run.types()


# Parallel states


def test_branches_record_in_declared_order_whatever_finishes_first(tmp_path: Path) -> None:
    tests_done = threading.Event()

    def slow_types(view: View) -> Result:
        assert tests_done.wait(300)
        view.record("noted", {"who": "types"})
        return Result("passed", {"count": 0})

    def quick_tests(view: View) -> Result:
        view.record("noted", {"who": "tests"})
        tests_done.set()
        return Result("passed")

    run = gated(tmp_path / "r", types=slow_types, tests=quick_tests)
    run.start(INPUTS)
    fork = run.events()[5:11]
    assert [(event.type, event.data.get("branch") or event.data.get("who")) for event in fork] == [
        ("branch-entered", "types"),
        ("noted", "types"),
        ("branch-left", "types"),
        ("branch-entered", "unit"),
        ("noted", "tests"),
        ("branch-left", "unit"),
    ]


def test_a_crash_in_one_branch_loses_nothing_of_the_other(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", tests=raises(ValueError("boom")))

    ending = run.start(INPUTS)

    assert (ending.state, ending.reason) == ("rejected", "error")
    facts: Any = ending.facts["check"]
    assert facts["types"] == {"count": 1}
    assert facts["unit"]["type"] == "ValueError"
    left = [event for event in run.events() if event.type == "branch-left"]
    assert [(event.data["branch"], event.data["outcome"]) for event in left] == [
        ("types", "passed"),
        ("unit", "error"),
    ]
    assert left[0].blob("log") is not None
    assert cost_of(run)["tokens"] == 7


def test_what_a_branch_recorded_does_not_change_before_the_join(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        data = {"list": [1]}
        view.record("noted", data)
        data["list"].append(2)
        return Result("passed")

    run = gated(tmp_path / "r", tests=body)
    run.start(INPUTS)
    assert next(event for event in run.events() if event.type == "noted").data == {"list": (1,)}


def test_a_branch_cannot_record_durably(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", tests=recording("intent", "passed", durable=True))
    assert run.start(INPUTS).state == "rejected"
    assert "a branch cannot record durably" in str(run.resume().facts["check"])


def test_a_branch_that_gets_no_thread_is_an_error_of_that_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    run = gated(tmp_path / "r")
    with monkeypatch.context() as starved:
        starved.setattr(ThreadPoolExecutor, "submit", refuse)
        ending = run.start(INPUTS)
    assert ending.state == "rejected"
    assert "NotStarted" in str(ending.facts["check"])


def test_branches_know_their_name_and_share_what_is_left(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def body(view: View) -> Result:
        seen[view.branch] = dict(view.remaining)
        return Result("passed", {"count": 0})

    text = GATED.replace("transitions = 40", "transitions = 40\ntokens = 11\nmodel_calls = 4")
    spends = frozenset({"tokens", "model_calls"})
    run = gated(tmp_path / "r")
    run.program = program(text)
    run.actions = {
        **run.actions,
        **action("types", body, *CHECKS, facts={"count": FactType.INT}, spends=spends),
        **action("tests", body, *CHECKS, spends=spends),
    }
    run.start(INPUTS)
    assert seen == {"types": {"tokens": 3, "model_calls": 2}, "unit": {"tokens": 3, "model_calls": 2}}


# Choices


@pytest.mark.parametrize(("count", "state"), [(3, "committed"), (4, "approve")])
def test_a_choice_takes_the_first_true_case_or_otherwise(tmp_path: Path, count: int, state: str) -> None:
    run = gated(tmp_path / "r", count=count)
    ending = run.start(INPUTS)
    assert ending.state == state
    assert ending.facts["consent"] == {
        "cases": ({"when": "check.types.count > input.limit", "holds": count > 3},)
    }


def test_a_choice_over_a_fact_nobody_recorded_is_an_error_never_false(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", types=always("passed"))
    assert run.start(INPUTS).state == "rejected"
    data: Any = last_left(run)["data"]
    assert (data["type"], data["message"]) == (
        "MissingFact",
        "check.types.count was never recorded in this run",
    )


def test_conditions_see_outcomes_and_visits_of_states_and_branches(tmp_path: Path) -> None:
    text = GATED.replace(
        "check.types.count > input.limit",
        "check.outcome == 'passed' and check.unit.outcome == 'passed' and check.visits == 1"
        " and approve.visits == 0 and make.outcome == 'made' and input.task == 't'",
    )
    run = gated(tmp_path / "r")
    run.program = program(text)
    assert run.start(INPUTS).state == "approve"


# Waiting


def waiting(folder: Path) -> Run:
    run = gated(folder, count=9)
    assert run.start(INPUTS).kind is EndingKind.SUSPENDED
    return run


def test_a_wait_suspends_the_run_and_a_signal_takes_the_edge(tmp_path: Path) -> None:
    run = waiting(tmp_path / "r")

    ending = run.resume({"outcome": "approved", "data": {"by": "ada"}})

    assert (ending.kind, ending.state) == (EndingKind.FINAL, "committed")
    assert ending.facts["approve"] == {"by": "ada"}
    answer = next(
        event for event in run.events() if event.data.get("state") == "approve" and event.type == "left"
    )
    assert answer.actor == "user"


def test_a_refusal_takes_its_own_edge_and_nothing_lands(tmp_path: Path) -> None:
    run = waiting(tmp_path / "r")
    ending = run.resume({"outcome": "refused", "data": {"by": "ada"}})
    assert (ending.state, ending.reason) == ("rejected", "refused")
    assert "land" not in {event.data.get("state") for event in run.events()}


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ({"outcome": "landed", "data": {"by": "x"}}, "approve has no outcome 'landed'"),
        ({"outcome": 3}, "a signal is {outcome, data}"),
        ({}, "a signal is {outcome, data}"),
        ({"outcome": "approved", "data": {"by": "x"}, "state": "land"}, "a signal is {outcome, data}"),
        ({"outcome": "approved"}, "by is missing"),
        ({"outcome": "approved", "data": {"by": 3}}, "by is int, declared is str"),
        ({"outcome": "approved", "data": {"by": "x", "tree": "y"}}, "tree is not declared"),
        ({"outcome": "approved", "data": {"by": 1.5}}, "float"),
        ({"outcome": "approved", "data": [1]}, "expected an object"),
    ],
)
def test_a_wrong_signal_is_refused_and_nothing_changes(
    tmp_path: Path, signal: Mapping[str, Json], message: str
) -> None:
    run = waiting(tmp_path / "r")
    before = (tmp_path / "r" / TRACE_NAME).read_bytes()

    with pytest.raises(WrongSignal) as caught:
        run.resume(signal)

    assert message in caught.value.message
    assert (tmp_path / "r" / TRACE_NAME).read_bytes() == before
    assert run.resume().kind is EndingKind.SUSPENDED
    assert (tmp_path / "r" / TRACE_NAME).read_bytes() == before


def test_the_second_of_two_signals_finds_nobody_waiting(tmp_path: Path) -> None:
    run = waiting(tmp_path / "r")
    signal: Mapping[str, Json] = {"outcome": "approved", "data": {"by": "ada"}}
    run.resume(signal)
    before = run.types()
    with pytest.raises(WrongSignal, match="the run has ended"):
        run.resume(signal)
    assert run.types() == before
    assert before.count("finished") == 1


def test_a_signal_for_a_run_that_does_not_wait_yet_is_refused(tmp_path: Path) -> None:
    run = waiting(tmp_path / "r")
    cut(tmp_path / "r", 3)
    with pytest.raises(WrongSignal, match="is in make, which waits for nothing yet"):
        run.resume({"outcome": "approved", "data": {"by": "ada"}})


# Beginning and resuming


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "inputs.task: is missing (declared as str)"),
        ({"task": 1, "limit": 1}, "inputs.task: is int, declared is str"),
        ({"task": "t", "limit": True}, "inputs.limit: is bool, declared is int"),
        ({"task": "t", "limit": 1, "limits": 2}, "inputs.limits: is not declared (did you mean 'limit'?)"),
        ({"task": "t", "limit": 1, "make": {"tree": "x"}}, "inputs.make: is not declared"),
        ({"task": "t", "limit": 0.5}, "inputs: .limit: float"),
    ],
)
def test_inputs_are_exactly_the_declared_ones(
    tmp_path: Path, inputs: Mapping[str, Json], message: str
) -> None:
    run = gated(tmp_path / "r")
    with pytest.raises(InputsRefused) as caught:
        run.start(inputs)
    assert message in caught.value.message
    assert run.types() == ["run-started"]


def test_a_run_begins_once_and_resumes_only_after_it_began(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("done"))
    with pytest.raises(RunRefused, match="has not begun"):
        run.resume()
    run.start()
    before = run.types()
    with pytest.raises(RunRefused, match="has begun already"):
        run.start()
    assert run.types() == before


def test_a_run_that_ended_resumes_to_the_same_ending_without_an_event(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    first = run.start(INPUTS)
    before = (tmp_path / "r" / TRACE_NAME).read_bytes()
    assert run.resume() == first
    assert (tmp_path / "r" / TRACE_NAME).read_bytes() == before


def test_a_run_goes_on_under_its_own_program_or_not_at_all(tmp_path: Path) -> None:
    run = waiting(tmp_path / "r")
    before = run.types()
    run.program = program(GATED.replace('refused = "rejected"', 'refused = "land"'))
    with pytest.raises(WrongProgram):
        run.resume({"outcome": "refused", "data": {"by": "x"}})
    assert run.types() == before


def test_an_unprovable_program_gets_no_engine(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    run.actions = action("make", always("made"), "made")
    with pytest.raises(ProgramRefused):
        run.start(INPUTS)
    assert run.types() == ["run-started"]


def cut(folder: Path, events: int) -> None:
    """Leave the first events of a trace, as a kill would have."""
    content = (folder / TRACE_NAME).read_bytes().splitlines(keepends=True)
    (folder / TRACE_NAME).write_bytes(b"".join(content[:events]))


@pytest.mark.law
@pytest.mark.parametrize("count", [1, 9])
def test_a_run_killed_after_any_event_resumes_to_the_same_ending(tmp_path: Path, count: int) -> None:
    whole = gated(tmp_path / "whole", count=count)
    expected = whole.start(INPUTS)
    original = (tmp_path / "whole" / TRACE_NAME).read_bytes().splitlines(keepends=True)
    for events in range(2, len(original) + 1):
        folder = tmp_path / f"cut{events}"
        run = gated(folder, count=count)
        with run.journal():
            (folder / TRACE_NAME).write_bytes(b"".join(original[:events]))

        ending = run.resume()

        assert ending == expected, events
        assert verify_chain(folder)


def verify_chain(folder: Path) -> bool:
    """The chain is whole; blobs of the copied prefix are elsewhere."""
    found = verify(folder)
    return found.ok or "blobs/" in found.reason or "salts/" in found.reason


@pytest.mark.law
def test_the_engine_stands_where_the_fold_of_its_trace_does_at_every_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = gated(tmp_path / "r", tests=in_turn("failed", "passed"))
    real = Engine._commit
    compared = 0

    def commit(self: Engine, *arguments: Any, **named: Any) -> None:
        nonlocal compared
        real(self, *arguments, **named)
        refolded = fold(self._program, self._journal.events)
        for name in (
            "state",
            "attempt",
            "open",
            "finished",
            "facts",
            "cost",
            "visits",
            "transitions",
            "repeats",
        ):
            assert getattr(refolded, name) == getattr(self._position, name), name
        compared += 1

    monkeypatch.setattr(engine_module.Engine, "_commit", commit)
    assert run.start(INPUTS).state == "committed"
    assert compared == len(run.events()) - 1


def test_a_crash_in_the_middle_of_a_state_re_enters_it_with_the_next_attempt(tmp_path: Path) -> None:
    attempts: list[int] = []

    def body(view: View) -> Result:
        attempts.append(view.attempt)
        return Result("done")

    run = work(tmp_path / "r", body)
    run.start()
    cut(tmp_path / "r", 3)
    ending = run.resume()
    assert ending.state == "finished"
    assert attempts == [1, 2]
    assert run.types()[2:] == ["entered", "resumed", "entered", "left", "finished"]
    assert ("noted", "resumed in work") in run.seen.calls


# Interruption


class Asked:
    """A Cancel that counts its shields."""

    def __init__(self) -> None:
        self.requested = False
        self.shields = 0

    def request(self) -> None:
        self.requested = True

    def shielded(self) -> AbstractContextManager[None]:
        self.shields += 1
        return nullcontext()


def interrupted_once() -> Callable[[View], Result]:
    told: list[bool] = []

    def body(view: View) -> Result:
        if not told:
            told.append(True)
            view.spend({"tokens": 4})
            raise KeyboardInterrupt
        return Result("done", cost={"tokens": 1})

    return body


def test_an_interrupted_action_ends_the_drive_and_resumes(tmp_path: Path) -> None:
    run = work(tmp_path / "r", interrupted_once())

    ending = run.start()

    assert (ending.kind, ending.state) == (EndingKind.INTERRUPTED, "work")
    assert run.types()[-1] == "interrupted"
    assert run.resume().state == "finished"
    assert cost_of(run) == {"tokens": 5}


@pytest.mark.parametrize("stopped", [raises(ValueError("cancelled")), always("error")])
def test_an_action_that_fails_because_it_was_asked_to_stop_is_interrupted_not_rejected(
    tmp_path: Path, stopped: Callable[[View], Result]
) -> None:
    def body(view: View) -> Result:
        view.cancel.request()
        return stopped(view)

    run = work(tmp_path / "r", body)
    run.cancel = Asked()
    assert run.start().kind is EndingKind.INTERRUPTED
    assert "left" not in run.types()
    run.cancel = NeverCancelled()
    run.actions = action("work", always("done"), "done", "again")
    assert run.resume().state == "finished"


def test_what_ended_well_in_spite_of_a_stop_is_recorded(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        view.cancel.request()
        return Result("again")

    run = work(tmp_path / "r", body)
    ending = run.start()
    assert ending.kind is EndingKind.INTERRUPTED
    assert run.types() == ["run-started", "begun", "entered", "left", "interrupted"]


def test_a_run_that_reached_its_final_is_not_interrupted(tmp_path: Path) -> None:
    def body(view: View) -> Result:
        view.cancel.request()
        return Result("done")

    assert work(tmp_path / "r", body).start().kind is EndingKind.FINAL


def test_an_interrupted_fork_waits_for_its_branches_and_keeps_their_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    real = concurrent_wait
    raised: list[bool] = []

    def wait(*arguments: Any, **named: Any) -> Any:
        if not raised:
            raised.append(True)
            raise KeyboardInterrupt
        return real(*arguments, **named)

    def stops(view: View) -> Result:
        view.spend({"tokens": 6})
        while not view.cancel.requested:
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(waits, "wait", wait)
    run = gated(tmp_path / "r", tests=stops)
    run.cancel = asked
    ending = run.start(INPUTS)
    assert (ending.kind, ending.state) == (EndingKind.INTERRUPTED, "check")
    assert "branch-left" not in run.types()
    assert cost_of(run)["tokens"] == 5 + 2 + 6
    assert asked.shields > 0


def test_an_interruption_while_waiting_between_attempts_is_no_attempt(tmp_path: Path) -> None:
    made = single('retry = { attempts = 2, on = ["again"], backoff_ms = 50 }')
    run = work(tmp_path / "r", in_turn("again", "done"), made)
    with run.journal() as journal:
        engine = run.engine(journal)
        engine._sleep = raises(KeyboardInterrupt())  # type: ignore[assignment]
        assert engine.start({}).kind is EndingKind.INTERRUPTED
    assert run.resume().state == "finished"


@pytest.mark.parametrize(("at", "kind"), [("finished", EndingKind.FINAL), ("approve", EndingKind.SUSPENDED)])
def test_an_interruption_after_the_last_event_finds_the_run_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, kind: EndingKind
) -> None:
    run = gated(tmp_path / "r", count=1 if at == "finished" else 9)

    class Late(Seen):
        def entered(self, state: str, attempt: int) -> None:
            if state == at:
                raise KeyboardInterrupt

    run.seen = Late()
    with run.journal() as journal:
        engine = run.engine(journal)
        real = engine._commit

        def commit(kind: str, *arguments: Any, **named: Any) -> None:
            real(kind, *arguments, **named)
            if kind == at:
                raise KeyboardInterrupt

        monkeypatch.setattr(engine, "_commit", commit)
        assert engine.start(INPUTS).kind is kind


def test_an_interruption_that_cannot_be_recorded_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = work(tmp_path / "r", interrupted_once())

    def fail(*_arguments: object, **_named: object) -> None:
        raise JournalFailed("disk full")

    with run.journal() as journal:
        engine = run.engine(journal)
        real = journal.append

        def append(kind: str, *arguments: Any, **named: Any) -> Any:
            return fail() if kind == "interrupted" else real(kind, *arguments, **named)

        monkeypatch.setattr(journal, "append", append)
        with pytest.raises(KeyboardInterrupt):
            engine.start({})
    assert run.resume().state == "finished"


def test_a_run_driven_outside_the_main_thread_leaves_the_shield_alone(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("done"))
    run.cancel = asked = Asked()
    endings: list[Ending] = []
    thread = threading.Thread(target=lambda: endings.append(run.start()))
    thread.start()
    thread.join()
    assert endings[0].state == "finished"
    assert asked.shields == 0


# Retries


def test_a_state_is_tried_again_in_place_with_capped_backoff(tmp_path: Path) -> None:
    made = single('retry = { attempts = 5, on = ["error", "again"], backoff_ms = 100, cap_ms = 250 }')
    run = work(
        tmp_path / "r",
        lambda view: Result("done" if view.attempt == 5 else "again", cost={"tokens": 1}),
        made,
    )

    ending = run.start()

    assert ending.state == "finished"
    assert run.slept == [0.1, 0.2, 0.25, 0.25]
    assert run.types().count("retried") == 4
    assert cost_of(run) == {"tokens": 5}
    assert fold(made, run.events()).wall_ms == 800
    assert [call for call in run.seen.calls if call[0] == "retried"][1] == ("retried", "work", "again", 200)


def test_the_last_attempt_takes_the_edge(tmp_path: Path) -> None:
    run = work(tmp_path / "r", raises(ValueError("boom")), single("retry = { attempts = 2 }"))
    ending = run.start()
    assert (ending.state, ending.reason) == ("rejected", "error")
    assert run.types().count("entered") == 2
    assert run.slept == []


# Budgets


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_limit_of_transitions_executes_exactly_so_many_states(tmp_path: Path, limit: int) -> None:
    run = work(tmp_path / "r", lambda _view: Result("again"), single(budgets=f"transitions = {limit}"))
    ending = run.start()
    assert (ending.kind, ending.state, ending.reason) == (EndingKind.FINAL, "rejected", "budget_transitions")
    assert run.types().count("left") == limit
    assert ("noted", f"budget transitions: {limit} of {limit} used") in run.seen.calls


def test_a_run_that_reaches_its_final_with_its_last_transition_is_done(tmp_path: Path) -> None:
    assert work(tmp_path / "r", always("done"), single(budgets="transitions = 1")).start().state == "finished"


@pytest.mark.parametrize(
    ("budgets", "cost", "spends", "reason", "calls"),
    [
        ("tokens = 10", {"tokens": 4}, {"tokens"}, "budget_tokens", 3),
        ("tokens = 12", {"tokens": 4}, {"tokens"}, "budget_tokens", 3),
        ("tokens = 12", {"tokens": 4}, set(), "budget_tokens", 4),
        ("model_calls = 3", {"model_calls": 1}, {"model_calls"}, "budget_model_calls", 3),
        ("model_calls = 0", {"model_calls": 1}, {"model_calls"}, "budget_model_calls", 0),
        ("money = 5", {"money": 6}, {"money"}, "budget_money", 1),
    ],
)
def test_costs_end_the_run_by_at_most_one_call_too_many(
    tmp_path: Path, budgets: str, cost: dict[str, int], spends: set[str], reason: str, calls: int
) -> None:
    made = single(budgets=f"transitions = 50\n{budgets}")
    run = work(tmp_path / "r", result("again", {}, {}, cost), made, spends=frozenset(spends))
    ending = run.start()
    assert (ending.state, ending.reason) == ("rejected", reason)
    assert run.types().count("left") == calls


def test_a_fork_of_two_does_not_start_on_the_last_model_call(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    run.program = program(GATED.replace("transitions = 40", "transitions = 40\nmodel_calls = 1"))
    spends = frozenset({"model_calls"})
    run.actions = {
        **run.actions,
        **action("types", types_of(1), *CHECKS, facts={"count": FactType.INT}, spends=spends),
        **action("tests", always("passed"), *CHECKS, spends=spends),
    }
    assert run.start(INPUTS).reason == "budget_model_calls"


def test_wall_time_ends_the_run_and_is_told_to_actions(tmp_path: Path) -> None:
    told: list[int | None] = []
    run = work(tmp_path / "r", always("again"), single(budgets="wall_ms = 250\ntransitions = 50"))

    def body(view: View) -> Result:
        told.append(view.timeout_ms)
        run.clock.ms += 100
        return Result("again")

    run.actions = action("work", body, "done", "again")
    assert run.start().reason == "budget_wall_ms"
    assert told == [250, 150, 50]


def test_visits_bound_a_state(tmp_path: Path) -> None:
    run = work(tmp_path / "r", lambda _view: Result("again"), single("visits = 3", budgets=""))
    assert run.start().reason == "budget_visits"
    assert run.types().count("left") == 3


def test_the_same_output_again_and_again_is_a_stall(tmp_path: Path) -> None:
    run = work(tmp_path / "r", always("again", {"x": 1}), single(budgets="transitions = 20\nstalled = 3"))
    assert run.start().reason == "budget_stalled"
    assert run.types().count("left") == 3


def test_progress_is_no_stall(tmp_path: Path) -> None:
    numbers = iter(range(100))
    made = single(budgets="transitions = 20\nstalled = 3")
    run = work(tmp_path / "r", lambda _view: Result("again", {"n": next(numbers)}), made)
    assert run.start().reason == "budget_transitions"


def test_outputs_that_python_takes_for_equal_and_that_are_written_differently_are_progress(
    tmp_path: Path,
) -> None:
    outputs: cycle[dict[str, object]] = cycle([{"x": [1]}, {"x": [True]}])
    made = single(budgets="transitions = 20\nstalled = 2")
    run = work(tmp_path / "r", lambda _view: Result("again", next(outputs)), made)
    assert run.start().reason == "budget_transitions"


LIVELOCK = """
name = "livelock"
start = "a"
[budgets]
transitions = 100
stalled = 3
exceeded = "rejected"
[states.a]
kind = "action"
on = { next = "b", error = "rejected" }
[states.b]
kind = "action"
on = { back = "a", done = "finished", error = "rejected" }
[states.finished]
kind = "final"
[states.rejected]
kind = "final"
"""


def test_two_states_that_only_call_each_other_stall(tmp_path: Path) -> None:
    actions = action("a", always("next"), "next") | action("b", always("back"), "back", "done")
    run = Run(tmp_path / "r", program(LIVELOCK), actions)
    assert run.start().reason == "budget_stalled"
    assert run.types().count("left") < 10


def test_a_repair_loop_whose_patches_differ_does_not_stall(tmp_path: Path) -> None:
    numbers = iter(range(1000))
    actions = action("a", lambda _view: Result("next", {"n": next(numbers)}), "next")
    actions |= action("b", always("back"), "back", "done")
    run = Run(tmp_path / "r", program(LIVELOCK), actions)
    assert run.start().reason == "budget_transitions"


# Nothing leaves the table


@pytest.mark.law
@given(data=st.data())
def test_no_sequence_of_outcomes_leaves_the_table(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("run") / "r"
    say = st.sampled_from(["made", "passed", "failed", "landed", "error", "committed", "", "approve"])

    def body(_view: View) -> Result:
        return Result(data.draw(say), {"count": data.draw(st.sampled_from([1, 9, "x"]))})

    run = gated(folder, make=body, land=body)
    ending = run.start(INPUTS)
    assert ending.state in {"committed", "rejected", "approve"}
    table = {(state.name, *edge) for state in run.program.states.values() for edge in state.on.items()}
    for event in run.events():
        if event.type == "left":
            assert (event.data["state"], event.data["outcome"], event.data["next"]) in table


LEFT = {"state": "make", "attempt": 1, "outcome": "made", "data": {}, "ms": 0, "cost": {}, "next": "check"}


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("left", {**LEFT, "next": "land"}, "make has no edge 'made' to land"),
        ("left", {**LEFT, "outcome": "landed"}, "make has no edge 'landed'"),
        ("left", {**LEFT, "state": "check"}, "left is about check, the run is in make"),
        ("left", {**LEFT, "ms": -1}, "malformed"),
        ("left", {**LEFT, "cost": {"tokens": -5}}, "malformed"),
        ("left", {"state": "make"}, "malformed"),
        ("entered", {"state": "make", "attempt": 2}, "cannot be entered now"),
        ("begun", {"program": "x", "inputs": {}}, "the run has begun already"),
        ("finished", {"state": "make", "reason": ""}, "cannot finish in make"),
        (
            "exceeded",
            {"state": "make", "budget": "tokens", "next": "committed"},
            "cannot move make to committed",
        ),
        ("branch-left", {"state": "check"}, "branch-left is about check"),
        ("retried", {**LEFT, "wait_ms": "x"}, "malformed"),
        ("resumed", {"state": "land"}, "resumed is about land"),
        ("interrupted", {}, "malformed"),
    ],
)
def test_an_event_the_table_does_not_allow_stops_the_resume(
    tmp_path: Path, kind: str, data: dict[str, Any], reason: str
) -> None:
    run = gated(tmp_path / "r")
    run.start(INPUTS)
    cut(tmp_path / "r", 3)
    with run.journal() as journal:
        journal.append(kind, data)
        before = len(journal.events)
        with pytest.raises(TraceCorrupt) as caught:
            run.engine(journal).resume()
        assert caught.value.seq == 3
        assert reason in caught.value.reason
        assert len(journal.events) == before


def test_events_before_the_beginning_and_after_the_end_are_refused(tmp_path: Path) -> None:
    run = gated(tmp_path / "a")
    with run.journal() as journal:
        journal.append("entered", {"state": "make", "attempt": 1})
        with pytest.raises(TraceCorrupt, match="the run has not begun"):
            run.engine(journal).start(INPUTS)
    run = gated(tmp_path / "b")
    run.start(INPUTS)
    with run.journal() as journal:
        journal.append("entered", {"state": "committed", "attempt": 1})
        with pytest.raises(TraceCorrupt, match="the run has ended"):
            run.engine(journal).resume()


def test_a_beginning_under_another_program_is_refused(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    with run.journal() as journal:
        journal.append("begun", {"program": "0" * 64, "inputs": {}})
        with pytest.raises(TraceCorrupt, match="under another program"):
            run.engine(journal).resume()


def test_a_forged_join_is_refused(tmp_path: Path) -> None:
    run = gated(tmp_path / "r", tests=always("failed"))
    run.start(INPUTS)
    join = next(event for event in run.events() if event.type == "left" and event.data["state"] == "check")
    cut(tmp_path / "r", join.seq)
    with run.journal() as journal:
        forged = {**join.data, "outcome": "passed", "next": "consent"}
        journal.append("left", forged)
        with pytest.raises(TraceCorrupt, match="another outcome than its branches join to"):
            run.engine(journal).resume()


@pytest.mark.parametrize("attempt", [0, 2, "1"])
def test_an_attempt_out_of_order_is_refused(tmp_path: Path, attempt: Any) -> None:
    run = gated(tmp_path / "r")
    run.start(INPUTS)
    cut(tmp_path / "r", 2)
    with run.journal() as journal:
        journal.append("entered", {"state": "make", "attempt": attempt})
        with pytest.raises(TraceCorrupt, match=f"cannot be entered now as attempt {attempt}"):
            run.engine(journal).resume()


def test_a_state_left_without_having_been_entered_is_refused(tmp_path: Path) -> None:
    run = gated(tmp_path / "r")
    run.start(INPUTS)
    cut(tmp_path / "r", 2)
    with run.journal() as journal:
        journal.append("left", LEFT)
        with pytest.raises(TraceCorrupt, match="without having entered make"):
            run.engine(journal).resume()


# Size


def test_a_hundred_thousand_transitions_are_a_loop_not_a_recursion(tmp_path: Path) -> None:
    count = 100_000
    made = single(budgets=f"transitions = {count + 1}")
    left = iter(range(count))
    run = work(tmp_path / "r", lambda _view: Result("again" if next(left) < count - 1 else "done"), made)
    with run.journal() as journal:
        ending = run.engine(journal).start({})
        assert len(journal.events) == 2 * count + 3
    assert ending.state == "finished"
