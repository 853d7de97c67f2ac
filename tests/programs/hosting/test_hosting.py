"""Programs of others: from the command line, in a folder that is no repository."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.hosting.given import given
from dev_agent.programs.verify import verify_file
from dev_agent.runtime.states import FactType
from tests.programs.hosting.stage import ACTIONS, PROGRAM, Stage
from tests.testing.children import ends

YES = ("--signal", "yes", "--data", "who=Ada", "--data", "sure=true")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(folder=tmp_path).write()


def test_a_program_waits_for_an_answer_and_another_process_ends_it(stage: Stage) -> None:
    first = stage.run()
    assert (first.code, first.page["outcome"], first.page["state"]) == (5, "waiting", "ask")
    assert first.page["awaited"] == ["yes", "no"]
    assert first.page["wanted"] == {"who": "str", "sure": "bool"}

    last = stage.program("resume", "last", *YES)

    assert (last.code, last.page["outcome"], last.page["state"]) == (0, "finished", "delivered")
    assert last.page["facts"]["ask"] == {"who": "Ada", "sure": True}
    assert last.page["cost"] == {"tokens": 3}
    assert stage.log() == ["prepare", "work", "finish Ada"]


def test_a_final_that_refuses_is_exit_code_1(stage: Stage) -> None:
    stage.run()
    ended = stage.program("resume", "last", "--signal", "no", "--data", "who=Ada", "--data", "sure=false")
    assert (ended.code, ended.page["outcome"], ended.page["state"]) == (1, "refused", "dropped")


def test_the_receipt_is_recomputed_from_the_trace_and_a_changed_one_is_found(stage: Stage) -> None:
    stage.run()
    folder = Path(stage.program("resume", "last", *YES).page["folder"])
    assert {check.name: check.mark.value for check in verify_file(folder, None).checks}["receipt"] == "ok"

    receipt = json.loads((folder / "receipt.json").read_bytes())
    assert receipt["predicate"]["outcome"] == "delivered"
    receipt["predicate"]["outcome"] = "dropped"
    (folder / "receipt.json").write_bytes(json.dumps(receipt).encode())

    assert not verify_file(folder, None).ok


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--signal", "maybe", "--data", "who=A", "--data", "sure=true"), "ask has no outcome 'maybe'"),
        (("--signal", "yes", "--data", "who=A"), "sure is missing"),
        (
            ("--signal", "yes", "--data", "who=A", "--data", "sure=perhaps"),
            "sure=perhaps is not true or false",
        ),
        (("--signal", "yes", "--data", "who=A", "--data", "sure=true", "--data", "x=1"), "x is not declared"),
        (("--signal", "yes", "--data", "who"), "'who' is not NAME=VALUE"),
    ],
)
def test_a_wrong_answer_is_refused_and_the_run_still_waits(
    stage: Stage, words: tuple[str, ...], said: str
) -> None:
    stage.run()
    before = stage.bytes_of_runs()

    refused = stage.program("resume", "last", *words)

    assert refused.code == 2
    assert said in refused.page["error"]["message"]
    assert stage.bytes_of_runs() == before


def test_the_same_answer_twice_acts_once(stage: Stage) -> None:
    stage.run()
    stage.program("resume", "last", *YES)
    again = stage.program("resume", "last", *YES)
    assert again.code == 2
    assert "has ended" in again.page["error"]["message"]
    assert stage.log().count("finish Ada") == 1


def test_a_run_killed_in_a_state_goes_on_there_and_repeats_nothing_that_ended(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(
        work="""
    mark = HERE / "killed"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)"""
    )
    killed = stage.run()
    assert killed.code == -signal.SIGKILL

    going_on = stage.program("resume", "last")

    assert (going_on.code, going_on.page["state"]) == (5, "ask")
    assert stage.log() == ["prepare", "work", "work"]
    assert [step["attempt"] for step in going_on.page["path"]] == [1, 2]


def test_another_program_than_the_runs_own_is_refused_and_the_difference_named(stage: Stage) -> None:
    stage.run()
    before = stage.bytes_of_runs()
    changed = PROGRAM.replace('yes = "finish"', 'yes = "delivered"').replace(
        "transitions = 20", "transitions = 30"
    )
    (stage.folder / "other.toml").write_text(changed)

    refused = stage.program("resume", "last", *YES, "--program", "other.toml")

    assert refused.code == 2
    assert "they differ in budgets.transitions, states.ask.on.yes" in refused.page["error"]["message"]
    assert stage.bytes_of_runs() == before
    assert stage.program("resume", "last", *YES, "--program", "errand.toml").code == 0


def test_actions_that_declare_something_else_by_now_are_refused(stage: Stage) -> None:
    stage.run()
    before = stage.bytes_of_runs()
    stage.write(
        actions=ACTIONS.replace(
            'ActionSpec("finish", frozenset({"done"})', 'ActionSpec("finish", frozenset({"ok"})'
        )
    )

    refused = stage.program("resume", "last", *YES)

    assert refused.code == 2
    assert "states.finish" in refused.page["error"]["message"]
    assert stage.bytes_of_runs() == before


def test_an_action_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    # Longer and longer: on a slow machine the first ones may be over before it has started anything.
    for limit_ms in (800, 5_000, 30_000, 120_000):
        folder = tmp_path / str(limit_ms)
        folder.mkdir()
        stage = Stage(folder=folder).write(
            program=PROGRAM.replace(
                '[states.work]\nkind = "action"', f'[states.work]\nkind = "action"\ntimeout_ms = {limit_ms}'
            ),
            work="""
    import subprocess, time
    print("so far so good", flush=True)
    child = subprocess.Popen(["sleep", "600"])
    (HERE / "child").write_text(str(child.pid))
    time.sleep(600)""",
        )

        ended = stage.run()

        assert (ended.code, ended.page["state"]) == (1, "dropped")
        assert ended.page["explanation"].startswith("Timeout in work: work took")
        child = folder / "child"
        if child.exists() and child.read_text():
            assert ends(int(child.read_text()))
            break
    else:
        pytest.fail("it never started anything")


def test_an_action_with_a_limit_answers_records_and_spends_like_any_other(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(
        program=PROGRAM.replace(
            '[states.work]\nkind = "action"', '[states.work]\nkind = "action"\ntimeout_ms = 600000'
        ),
        work='print("aside"); view.record("seen", {"twice": view.facts["prepare"]["twice"]}, {"raw": b"\\x00\\xff"})',
    )
    ended = stage.run()
    assert (ended.code, ended.page["cost"]) == (5, {"tokens": 3})
    events = [
        json.loads(line) for line in (Path(ended.page["folder"]) / "trace.jsonl").read_text().splitlines()
    ]
    (seen,) = [event for event in events if event["type"] == "seen"]
    assert seen["data"] == {"twice": 4}
    assert [blob["role"] for blob in seen["blobs"]] == ["raw"]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("raise ValueError('no such thing')", "ValueError in work: no such thing"),
        ("view.record('seen', {}, durable=True)", "RuntimeFault in work: an action with a time limit"),
        ("os._exit(7)", "Died in work: the process of work ended with status 7"),
        ("return Result('surprise')", "WrongOutcome in work: work gave 'surprise'"),
        ("return 3", "TypeError in work: work returned int, not a Result"),
    ],
)
def test_whatever_an_action_with_a_limit_does_is_the_outcome_error(
    tmp_path: Path, work: str, said: str
) -> None:
    limited = PROGRAM.replace(
        '[states.work]\nkind = "action"', '[states.work]\nkind = "action"\ntimeout_ms = 600000'
    )
    ended = Stage(folder=tmp_path).write(program=limited, work=work).run()
    assert ended.code == 1
    assert said in ended.page["explanation"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('broken')", "cannot be imported: RuntimeError: broken"),
        ("x = 1", "has no ACTIONS"),
        ("ACTIONS = 3", "has no ACTIONS"),
        ("ACTIONS = [1]", "ACTIONS[0] is not an action"),
        (ACTIONS.replace("WORK", "pass") + "\nACTIONS = ACTIONS + ACTIONS", "names 'prepare' twice"),
    ],
)
def test_a_module_without_usable_actions_is_refused_before_there_is_a_run(
    tmp_path: Path, text: str, said: str
) -> None:
    stage = Stage(folder=tmp_path).write(actions=text)
    refused = stage.run()
    assert refused.code == 2
    assert said in refused.page["error"]["message"]
    assert not stage.runs.exists()


def test_inputs_of_another_type_are_refused_before_there_is_a_run(stage: Stage) -> None:
    refused = stage.program("run", "errand.toml", "--actions", "errands.py", "-i", "amount=two")
    assert (refused.code, stage.runs.exists()) == (2, False)
    assert "amount=two is not an integer" in refused.page["error"]["message"]


def test_every_way_to_type_a_value() -> None:
    declared = {
        "b": FactType.BOOL,
        "i": FactType.INT,
        "s": FactType.STR,
        "l": FactType.LIST,
        "j": FactType.JSON,
    }
    typed = given(["b=false", "i=-7", "s=1=2", 'l=["x"]', 'j={"k": null}']).typed(declared)
    assert typed == {"b": False, "i": -7, "s": "1=2", "l": ["x"], "j": {"k": None}}
    for wrong in ("b=1", "i=1.5", "i=", "l=x", "i=\u0663"):
        with pytest.raises(UsageFault):
            given([wrong]).typed(declared)


def test_the_list_names_runs_that_cannot_be_read(stage: Stage) -> None:
    stage.run()
    broken = stage.runs / "20200101-000000000-00000000"
    broken.mkdir()
    (broken / "trace.jsonl").write_text("{}\n")
    listed = stage.program("runs")
    assert (listed.code, len(listed.page["runs"])) == (0, 1)
    assert "20200101-000000000-00000000 cannot be read" in listed.page["unreadable"][0]


def test_two_processes_cannot_drive_one_run(stage: Stage) -> None:
    stage.run()
    (folder,) = [one for one in stage.runs.iterdir() if one.is_dir()]
    with subprocess.Popen(
        ["flock", str(folder / "lock"), "sh", "-c", "echo held; read _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        refused = stage.program("resume", "last", *YES)
        holder.communicate(b"\n")
    assert refused.code == 3
    assert "is in use by another process" in refused.page["error"]["message"]
