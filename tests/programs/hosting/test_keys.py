"""One key, one execution: of many callers, across processes, after a crash."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.keys import Execution, once, request_digest
from tests.programs.hosting.stage import PROGRAM, Stage

SHORT = PROGRAM.replace('done = "ask"', 'done = "delivered"').replace(
    """[states.ask]
kind = "wait"
facts = { who = "str", sure = "bool" }
on = { yes = "finish", no = "dropped" }
[states.finish]
kind = "action"
on = { done = "delivered", error = "dropped" }
""",
    "",
)


def test_five_callers_at_once_execute_once_and_get_one_answer(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(program=SHORT)
    words = ["run", "errand.toml", "--actions", "errands.py", "-i", "amount=2", "--key", "order-7"]
    callers = [
        subprocess.Popen(stage.argv(*words), cwd=tmp_path, env=stage.environ(), stdout=subprocess.PIPE)
        for _ in range(5)
    ]
    answers = {caller.communicate()[0] for caller in callers}
    assert [caller.returncode for caller in callers] == [0] * 5
    assert len(answers) == 1
    assert stage.log() == ["prepare", "work"]


def test_a_key_stands_for_one_request(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(program=SHORT)
    first = stage.run("--key", "order-7")
    other = stage.program(
        "run", "errand.toml", "--actions", "errands.py", "-i", "amount=3", "--key", "order-7"
    )
    assert (first.code, other.code) == (0, 2)
    assert f"stands for another request (run {first.page['run']})" in other.page["error"]["message"]
    assert stage.log() == ["prepare", "work"]


def test_a_run_killed_under_a_key_is_taken_up_by_the_next_caller(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(
        program=SHORT,
        work="""
    if not (HERE / "killed").exists():
        (HERE / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)""",
    )
    assert stage.run("--key", "k").code == -signal.SIGKILL
    ended = stage.run("--key", "k")
    assert (ended.code, ended.page["state"]) == (0, "delivered")
    assert stage.log() == ["prepare", "work", "work"]
    assert len(stage.program("runs").page["runs"]) == 1


def test_a_failure_is_not_remembered_as_the_answer(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path).write(
        program=SHORT,
        work="""
    if not (HERE / "failed").exists():
        (HERE / "failed").touch()
        return Result("refused")""",
    )
    assert stage.run("--key", "k").code == 1
    assert stage.run("--key", "k").code == 0
    assert len(stage.program("runs").page["runs"]) == 2


class Runs:
    """Executions in memory, as `once` sees them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.dies = False

    def execution(self) -> Execution[str]:
        return Execution(
            fresh=self.fresh, exists=self.made.__contains__, again=lambda run: run, failed=lambda _: False
        )

    def fresh(self, remember: Callable[[str], None]) -> str:
        run = f"run-{len(self.made)}"
        remember(run)
        if self.dies:
            raise KeyboardInterrupt
        self.made.append(run)
        return run


def test_killed_between_the_record_and_the_run_the_next_caller_executes(tmp_path: Path) -> None:
    runs, digest = Runs(), request_digest({"task": "x"})
    runs.dies = True
    with pytest.raises(KeyboardInterrupt):
        once(tmp_path, "k", digest, runs.execution())
    runs.dies = False
    assert once(tmp_path, "k", digest, runs.execution()) == "run-0"
    assert once(tmp_path, "k", digest, runs.execution()) == "run-0"
    assert runs.made == ["run-0"]


@pytest.mark.parametrize("key", ["", "a\nb", "x" * 201, "\x1b[31m"])
def test_what_cannot_be_a_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageFault, match="printable"):
        once(tmp_path / "keys", key, "d", Runs().execution())
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"v": 2, "request": "d", "run": "r"}'])
def test_a_damaged_record_is_named_and_executes_nothing(tmp_path: Path, content: bytes) -> None:
    runs = Runs()
    once(tmp_path, "k", "d", runs.execution())
    (record,) = tmp_path.glob("*.json")
    record.write_bytes(content)
    with pytest.raises(EnvironmentFault, match="key 'k'"):
        once(tmp_path, "k", "d", runs.execution())
    assert runs.made == ["run-0"]


def test_keys_that_look_like_paths_stay_in_the_folder(tmp_path: Path) -> None:
    once(tmp_path / "keys", "../../etc/passwd", "d", Runs().execution())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys"]
