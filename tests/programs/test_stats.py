"""Numbers over runs: real runs counted as they were, foreign ones measured, damaged ones named and left out."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.folders import RunFolder, all_runs, runs_dir
from dev_agent.programs.period import Period, period_of
from dev_agent.programs.receipt import receipt_of
from dev_agent.programs.stats import StatsRequest, stats
from dev_agent.runtime.trace import Journal, read_trace
from tests.programs.conftest import HARMLESS, NO_GATES, Shop, replacing
from tests.runtime.worlds import FixedClock, Run, action, always, in_turn, single

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def looping(folder: Path) -> Path:
    """A run of a foreign program that goes round until its budget ends it."""
    run = Run(folder, single(), action("work", always("again", tokens=5), "done", "again"))
    assert run.start().reason == "budget_transitions"
    return folder


@pytest.fixture
def three(shop: Shop) -> Shop:
    """One run that landed, one that changed nothing, one that was rejected."""
    assert shop.apply(HARMLESS).exit_code == 0
    assert shop.apply(replacing("notes.txt", "three\n", "three\n")).reason == ""
    assert shop.apply(replacing("notes.txt", "nowhere\n", "x\n")).exit_code == 1
    return shop


def test_runs_are_counted_by_outcome_and_reason_and_measured(three: Shop) -> None:
    found = stats(three.repository(), StatsRequest())

    (program,) = found.programs
    assert (program.name, found.warnings, found.alarms) == ("apply", (), 0)
    assert {outcome: number for (outcome, _), number in program.outcomes.items()} == {
        "committed": 1,
        "no_change": 1,
        "rejected": 1,
    }
    assert all(
        run.health.stretch == run.health.revisit_rate == run.health.excess == 0 for run in program.runs
    )
    assert {gate.name: gate.count for gate in program.gates} == {
        "check.types": 1,
        "check.tests": 1,
        "check.checks": 1,
    }
    assert {state.state: state.count for state in program.states}["stage"] == 3
    assert sum(state.ms for state in program.states) == sum(run.ms for run in program.runs)


def test_a_named_run_is_measured_against_its_baseline(three: Shop) -> None:
    newest, *others = [folder.run for folder in all_runs(three.repository())]
    found = stats(three.repository(), StatsRequest(runs=(newest,), baseline=tuple(others)))
    (program,) = found.programs
    assert [run.run for run in program.runs] == [newest]
    assert program.baseline == 2
    assert program.fleet.distance is not None
    assert program.runs[0].health.six.path_variance is not None


def test_without_names_the_baselines_runs_are_not_measured_themselves(three: Shop) -> None:
    found = stats(three.repository(), StatsRequest(baseline=("last",)))
    assert (len(found.programs[0].runs), found.programs[0].baseline) == (2, 1)


def test_a_run_folder_of_a_foreign_program_is_measured_without_a_repository(tmp_path: Path) -> None:
    folder = looping(tmp_path / "r")
    found = stats(None, StatsRequest(runs=(str(folder),)))
    (program,) = found.programs
    assert program.program is None
    assert program.name == f"program {single().digest[:12]}"
    (run,) = program.runs
    assert (run.outcome, run.reason) == ("rejected", "budget_transitions")
    assert [alarm.kind.value for alarm in run.health.alarms] == ["loop"]
    assert [(cause.edge.outcome, cause.count) for cause in run.health.alarms[0].causes] == [("again", 20)]
    assert program.states[0].cost == {"tokens": 100}


def test_runs_of_several_programs_are_grouped(three: Shop, tmp_path: Path) -> None:
    foreign = looping(tmp_path / "r")
    found = stats(three.repository(), StatsRequest(runs=("last", str(foreign))))
    assert [len(program.runs) for program in found.programs] == [1, 1]


def damage_chain(folder: Path) -> None:
    trace = folder / "trace.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b'"begun"', b'"begin"', 1))


def damage_form(folder: Path) -> None:
    shutil.rmtree(folder)
    with Journal.create(folder, "r", {"program": "0" * 64}, FixedClock()) as journal:
        journal.append("left", {"state": 1})


def damage_version(folder: Path) -> None:
    trace = folder / "trace.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b'"v":1}', b'"v":9}'))


def damage_bytes(folder: Path) -> None:
    (folder / "trace.jsonl").write_bytes(bytes(range(256)))


def damage_rights(folder: Path) -> None:
    (folder / "trace.jsonl").unlink()
    (folder / "elsewhere").write_bytes(b"")
    (folder / "trace.jsonl").symlink_to(folder / "elsewhere")


@pytest.mark.parametrize(
    "damage",
    [damage_chain, damage_form, damage_version, damage_bytes, damage_rights],
    ids=lambda one: one.__name__,
)
def test_a_damaged_trace_is_named_and_hides_no_other(three: Shop, damage: object) -> None:
    worst = all_runs(three.repository())[1]
    assert callable(damage)
    damage(worst.path)
    found = stats(three.repository(), StatsRequest())
    assert sum(len(program.runs) for program in found.programs) == 2
    (warning,) = found.warnings
    assert warning.startswith(f"{worst.run} is left out: ")


def test_a_trace_that_names_a_program_of_ours_but_is_not_of_its_form_is_left_out(shop: Shop) -> None:
    folder = runs_dir(shop.repository()) / "20261122-100000000-aaaaaaaa"
    with Journal.create(folder, folder.name, {"program": "0" * 64}, FixedClock()) as journal:
        journal.append("request", {"program": "apply"})
        left = {"attempt": 1, "outcome": "staged", "ms": 1, "cost": {}, "next": "x"}
        journal.append("left", {"state": "stage", "data": [1], **left})
    found = stats(shop.repository(), StatsRequest())
    assert found.programs == ()
    assert "is left out" in found.warnings[0]


def test_a_run_of_another_version_of_a_program_is_a_group_of_its_own(shop: Shop) -> None:
    folder = runs_dir(shop.repository()) / "20261122-100000000-aaaaaaaa"
    with Journal.create(folder, folder.name, {"program": "0" * 64}, FixedClock()) as journal:
        journal.append("request", {"program": "apply"})
    (program,) = stats(shop.repository(), StatsRequest()).programs
    assert (program.name, program.runs[0].outcome) == ("apply 000000000000", "interrupted")


def test_an_unknown_run_and_a_missing_repository_are_the_users_to_mend(shop: Shop) -> None:
    with pytest.raises(UsageFault, match="no runs yet"):
        stats(shop.repository(), StatsRequest(runs=("nothing",)))
    with pytest.raises(UsageFault, match="no repository here"):
        stats(None, StatsRequest())


def test_no_run_at_all_is_an_empty_answer(shop: Shop) -> None:
    found = stats(shop.repository(), StatsRequest(since="7d", baseline=("..7d",)))
    assert (found.programs, found.alarms) == ((), 0)
    assert found.warnings == ("the baseline holds no run that can be read",)


def run_of(stamp: str) -> RunFolder:
    return RunFolder(run=stamp, path=Path(stamp))


@pytest.mark.parametrize(
    ("text", "stamp", "holds"),
    [
        ("7d", "20261120-000000000-x", True),
        ("7d", "20261110-000000000-x", False),
        ("2026-11-20", "20261120-000000000-x", True),
        ("2026-11-20", "20261119-235959999-x", False),
        ("2026-11-01..2026-11-20", "20261120-235959999-x", True),
        ("2026-11-01..2026-11-20", "20261121-000000000-x", False),
        ("30d..7d", "20261110-000000000-x", True),
        ("30d..7d", "20261120-000000000-x", False),
        ("..7d", "20200101-000000000-x", True),
        ("7d..", "20261122-110000000-x", True),
        ("2026-11-20T10:00:00+02:00", "20261120-080000000-x", True),
        ("7d", "not-a-time", False),
        ("7d", "20269999-000000000-x", False),
        (None, "not-a-time", True),
    ],
)
def test_a_period_holds_what_began_in_it(text: str | None, stamp: str, holds: bool) -> None:
    assert period_of(text, now=NOW).holds(run_of(stamp)) is holds


@pytest.mark.parametrize("text", ["yesterday", "7", "2026-13-01", "7d..30d", "99999999h", "999999w", "1d..x"])
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageFault) as caught:
        period_of(text, now=NOW)
    assert caught.value.hint
    assert period_of("", now=NOW) == Period()


def test_a_receipt_tells_how_straight_the_run_went_in_whole_numbers(three: Shop) -> None:
    landed = all_runs(three.repository())[-1]
    health = json.loads(landed.receipt.read_bytes())["predicate"]["health"]
    assert health == {"transitions": 8, "direct": 8, "revisits": 0, "retried": 0, "errors": 0}
    assert receipt_of(read_trace(landed.path)) == landed.receipt.read_bytes()


def test_a_receipt_of_a_run_begun_before_health_was_told_stays_as_it_was(three: Shop, tmp_path: Path) -> None:
    events = read_trace(all_runs(three.repository())[-1].path)
    with Journal.create(tmp_path / "old", "old", {"program": "x"}, FixedClock()) as journal:
        for event in events[1:]:
            data = {key: value for key, value in event.data.items() if key != "receipt"}
            journal.append(event.type, data if event.type == "request" else event.data)
    predicate = json.loads(receipt_of(read_trace(tmp_path / "old")))["predicate"]
    assert "health" not in predicate
    assert predicate["outcome"] == "landed"


def test_in_turn_outcomes_of_gates_are_told_apart(tmp_path: Path, shop: Shop) -> None:
    failing = 'name = "t"\nversion = 1\n[gates]\ntypes = "off"\n[on]\n'
    shop.apply(replacing("src/shop/cart.py", "return sum(prices)\n", "return 0\n"), policy=failing)
    shop.apply(HARMLESS, policy=NO_GATES)
    (program,) = stats(shop.repository(), StatsRequest()).programs
    (tests,) = [gate for gate in program.gates if gate.name == "check.tests"]
    assert tests.outcomes == {"failed": 1, "skipped": 1}
    assert tests.longest_ms <= tests.ms
    run = Run(tmp_path / "r", single(), action("work", in_turn("again", "done"), "done", "again"))
    run.start()
    (foreign,) = stats(None, StatsRequest(runs=(str(tmp_path / "r"),))).programs
    assert foreign.gates == ()
