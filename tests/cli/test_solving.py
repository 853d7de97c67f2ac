"""The real program, the real clients, a service on the loopback: only variables of the environment are changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dev_agent.programs.solving.forms import question_for
from tests.cli.test_scenarios import CONFIG, TESTS, TINY, answered
from tests.cli.test_scenarios import dev_agent as dev_agent_in
from tests.testing.model_server import ModelServer, serving
from tests.testing.repos import Project, make_repository
from tests.testing.scripted_model import edits, plan, replacing

CHECKOUT = str(Path(__file__).parents[2])
KEY = "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFF"
TASK = "double() is slow for large numbers"
OLD, WRONG, GOOD = "    return number + number\n", "    return 3 * number\n", "    return 2 * number\n"
NO_GATES = b'name = "no-gates"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[on]\n'


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """A typed module with one test, and a policy file that judges nothing, for what is not about judging."""
    (tmp_path / "policy.toml").write_bytes(NO_GATES)
    files = {"pyproject.toml": CONFIG, "tiny.py": TINY, "test_tiny.py": TESTS}
    return make_repository(tmp_path, files).with_environ(VIRTUAL_ENV=sys.prefix, PYTHONPATH=CHECKOUT)


def dev_agent(project: Project, *args: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """The command of this checkout."""
    return dev_agent_in(project, *args, **environ)


def answer(content: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A step of the service: an answer to the task's question."""
    return {"do": "answer", "content": {"question": question_for(TASK), **content}, **more}


def claude(server: ModelServer) -> dict[str, str]:
    """What a user sets to ask Claude."""
    return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}


def test_a_model_asks_repairs_and_lands_and_its_run_can_be_replayed_without_it(tiny: Project) -> None:
    script = [
        answer(plan(answer="needs_context", files_to_read=["test_tiny.py"])),
        answer(plan("tiny.py")),
        {"do": "fail", "status": 529, "kind": "overloaded_error", "message": "Overloaded"},
        answer(edits(replacing("tiny.py", OLD, WRONG))),
        answer(edits(replacing("tiny.py", WRONG, GOOD))),
    ]
    with serving(script) as server:
        done = dev_agent(tiny, "apply", TASK, "--json", **claude(server))
        asked = server.asked
    assert done.returncode == 0, done.stderr.decode()
    assert answered(done)["files"] == ["tiny.py"]
    assert answered(done)["cost"]["model_calls"] == len(asked) == 5
    assert b"proposed by anthropic" in done.stderr
    assert GOOD in (tiny.root / "tiny.py").read_text()
    assert "assert double(2) == 4" in asked[1].prompt
    assert "assert 6 == 4" in asked[4].prompt
    assert WRONG in asked[4].prompt
    assert KEY in " ".join(asked[0].headers.values())
    kept = b"".join(file.read_bytes() for file in (tiny.git_dir / "dev-agent").rglob("*") if file.is_file())
    assert KEY.encode() not in kept + done.stdout + done.stderr
    replayed = dev_agent(tiny, "replay", "last", "--json")
    assert replayed.returncode == 0, replayed.stderr.decode()
    assert answered(replayed)["tree"] == answered(done)["tree"]


def test_what_was_recorded_is_played_without_a_service(tiny: Project, tmp_path: Path) -> None:
    script = [answer(plan("tiny.py")), answer(edits(replacing("tiny.py", OLD, GOOD)))]
    cassette, policy = str(tmp_path / "tape.jsonl"), str(tmp_path / "policy.toml")
    with serving(script) as server:
        openai = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-local"}
        words = (
            "--policy",
            policy,
            "--proposer",
            "openai",
            "--model",
            "served",
            "--record",
            cassette,
            "--dry-run",
        )
        done = dev_agent(tiny, "apply", TASK, *words, **openai)
    assert done.returncode == 0, done.stderr.decode()
    played = dev_agent(tiny, "apply", TASK, "--policy", policy, "--cassette", cassette, "--json")
    assert played.returncode == 0, played.stderr.decode()
    assert answered(played)["outcome"] == "committed"
    assert GOOD in (tiny.root / "tiny.py").read_text()


@pytest.mark.kill
def test_killed_while_a_model_answers_the_run_goes_on_and_pays_once_for_what_it_had(
    tiny: Project, tmp_path: Path
) -> None:
    before = tiny.snapshot()
    words = ("apply", TASK, "--policy", str(tmp_path / "policy.toml"))
    with serving([answer(plan("tiny.py")), {"do": "hang"}]) as server:
        child = subprocess.Popen(
            [sys.executable, "-m", "dev_agent", *words],
            cwd=tiny.root,
            env={**tiny.environ, **claude(server)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        while len(server.asked) < 2:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended by itself with {child.wait(timeout=0.05)}")
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert tiny.snapshot() == before
        server.add(answer(edits(replacing("tiny.py", OLD, GOOD))))
        # The trace knows where it was asked; the key is looked for again.
        done = dev_agent(tiny, "resume", "last", "--json", ANTHROPIC_API_KEY=KEY)
        forms = [one.form for one in server.asked]
    assert done.returncode == 0, done.stderr.decode()
    assert len(forms) == 3, "one plan, the question that was cut off, and that question again"
    assert answered(done)["cost"]["model_calls"] == 2


@pytest.mark.parametrize(
    ("steps", "environ", "code", "said"),
    [
        ([], {}, 2, "no model is set up"),
        (
            [{"do": "fail", "status": 401, "kind": "authentication_error", "message": "invalid x-api-key"}],
            None,
            3,
            "key",
        ),
    ],
    ids=["nobody", "wrong key"],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(
    tiny: Project,
    tmp_path: Path,
    steps: list[dict[str, Any]],
    environ: dict[str, str] | None,
    code: int,
    said: str,
) -> None:
    before = tiny.snapshot()
    with serving(steps) as server:
        given = claude(server) if environ is None else environ
        done = dev_agent(tiny, "apply", TASK, "--policy", str(tmp_path / "policy.toml"), **given)
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == code, told
    assert said in told
    assert KEY not in told
    assert tiny.snapshot() == before
    if code == 2:
        assert "ANTHROPIC_API_KEY" in told
