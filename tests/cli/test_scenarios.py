"""The real program on a real repository: exit codes, streams, and the repository afterwards."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dev_agent.programs.builtin import BUILTIN, CHECK
from tests.testing.repos import Project, make_repository

CONFIG = b"""
[project]
name = "tiny"
version = "1"

[tool.mypy]
files = ["tiny.py", "test_tiny.py"]
"""
TINY = b"def double(number: int) -> int:\n    return number + number\n"
TESTS = b"from tiny import double\n\n\ndef test_double() -> None:\n    assert double(2) == 4\n"
GOOD = """\
--- a/tiny.py
+++ b/tiny.py
@@ -1,2 +1,2 @@
 def double(number: int) -> int:
-    return number + number
+    return 2 * number
"""
WRONG = GOOD.replace("2 * number", "3 * number")
UNTYPED = GOOD.replace("2 * number", "str(number)")
CONTRACT = {
    *("run", "outcome", "reason", "base", "commit", "tree", "branch"),
    *("files", "policy", "gates", "cost", "receipt", "trace"),
}


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """A typed module with one test, judged in the environment the tests run in."""
    return tiny_project(tmp_path)


def tiny_project(folder: Path) -> Project:
    """The project of `tiny`, in a folder of the caller's."""
    project = make_repository(
        folder,
        {"pyproject.toml": CONFIG, "tiny.py": TINY, "test_tiny.py": TESTS, ".gitignore": b"*.patch\n"},
    )
    return project.with_environ(VIRTUAL_ENV=sys.prefix)


def dev_agent(
    project: Project, *args: str, stdin: str | bytes = b"", **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """`dev-agent args…` in the project."""
    return subprocess.run(
        [sys.executable, "-m", "dev_agent", *args],
        cwd=project.root,
        env={**project.environ, **environ},
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=300,
        check=False,
    )


def answered(done: subprocess.CompletedProcess[bytes]) -> Any:
    """The one object on stdout."""
    return json.loads(done.stdout)


def test_a_good_patch_lands_and_can_be_looked_at(tiny: Project) -> None:
    base = tiny.git("rev-parse", "HEAD")
    done = dev_agent(tiny, "apply", "Double faster", "--patch", "-", "--json", stdin=GOOD)
    assert done.returncode == 0, done.stderr.decode()
    result = answered(done)
    assert set(result) == CONTRACT
    assert (result["outcome"], result["base"], result["files"]) == ("committed", base, ["tiny.py"])
    assert result["commit"] == tiny.git("rev-parse", "HEAD")
    assert {(gate["name"], gate["verdict"]) for gate in result["gates"]} >= {
        ("types", "passed"),
        ("tests", "passed"),
    }
    assert tiny.git("status", "--porcelain") == ""
    events = [json.loads(row) for row in done.stderr.splitlines()]
    assert {"event": "entered", "state": "stage", "attempt": 1} in events

    listed = answered(dev_agent(tiny, "runs", "--json"))["runs"]
    assert [(run["run"], run["outcome"]) for run in listed] == [(result["run"], "committed")]
    assert answered(dev_agent(tiny, "show", "last", "--json"))["report"]["commit"] == result["commit"]
    verified = dev_agent(tiny, "verify", result["run"], "--json")
    assert (verified.returncode, answered(verified)["ok"]) == (0, True)

    patch = dev_agent(tiny, "diff", "last").stdout
    tiny.git("apply", "--reverse", "--check", "-", stdin=patch)

    Path(result["trace"]).write_bytes(Path(result["trace"]).read_bytes().replace(b"staged", b"stage2", 1))
    forged = dev_agent(tiny, "verify", "last")
    assert forged.returncode == 1
    assert b"does not hold" in forged.stdout


@pytest.mark.parametrize(("patch", "gate"), [(WRONG, "tests"), (UNTYPED, "types")])
def test_a_bad_patch_leaves_everything_as_it_was(tiny: Project, patch: str, gate: str) -> None:
    (tiny.root / "notes.txt").write_text("mine", encoding="utf-8")
    before = tiny.snapshot()
    done = dev_agent(tiny, "apply", "Break it", "--patch", "-", stdin=patch)
    assert done.returncode == 1, done.stderr.decode()
    assert tiny.snapshot() == before
    shown = done.stdout.decode()
    assert f"New in {gate}:" in shown
    assert "Rejected: " in shown.splitlines()[-1]
    assert "\x1b" not in shown + done.stderr.decode()


def test_a_dry_run_judges_and_lands_nothing(tiny: Project) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, "apply", "Look", "--patch", "-", "--dry-run", "--quiet", stdin=GOOD)
    assert done.returncode == 0, done.stderr.decode()
    assert tiny.snapshot() == before
    assert b"Verified: the change passed policy and every gate; nothing was landed" in done.stdout
    assert done.stderr == b""


def test_options_can_come_from_the_environment(tiny: Project) -> None:
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    before = tiny.snapshot()
    done = dev_agent(
        tiny, "apply", "Look", DEV_AGENT_PATCH="fix.patch", DEV_AGENT_DRY_RUN="1", DEV_AGENT_JSON="1"
    )
    assert (done.returncode, answered(done)["outcome"]) == (0, "verified")
    assert tiny.snapshot() == before


def test_a_patch_that_changes_nothing_is_no_change(tiny: Project) -> None:
    before = tiny.snapshot()
    same = GOOD.replace("2 * number", "number + number")
    done = dev_agent(tiny, "apply", "Nothing", "--patch", "-", "--json", stdin=same)
    assert (done.returncode, answered(done)["outcome"]) == (0, "no_change")
    assert tiny.snapshot() == before


def test_a_question_of_policy_waits_and_an_approval_lands_it(tiny: Project) -> None:
    asking = GOOD.replace("2 * number", "int(eval('2')) * number")
    before = tiny.snapshot()
    done = dev_agent(tiny, "apply", "Evaluate", "--patch", "-", "--json", stdin=asking)
    assert (done.returncode, answered(done)["outcome"]) == (5, "suspended"), done.stderr.decode()
    assert tiny.snapshot() == before
    approved = dev_agent(tiny, "approve", "last", "--reason", "seen", "--json")
    assert (approved.returncode, answered(approved)["outcome"]) == (0, "committed"), approved.stderr.decode()


def test_a_rejection_by_a_person_lands_nothing(tiny: Project) -> None:
    asking = GOOD.replace("2 * number", "int(eval('2')) * number")
    before = tiny.snapshot()
    assert dev_agent(tiny, "apply", "Evaluate", "--patch", "-", stdin=asking).returncode == 5
    done = dev_agent(tiny, "reject", "last", "--json")
    assert (done.returncode, answered(done)["outcome"]) == (1, "rejected"), done.stderr.decode()
    assert tiny.snapshot() == before
    assert dev_agent(tiny, "approve", "last").returncode == 2


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        (b"", "empty"),
        (b"please make it faster", "no known edit format"),
        (b"--- a/x\n+++ b/x\n\x00", "NUL"),
        (b"\xff\xfe--- a/x", "UTF-8"),
        (b"x" * 50_000_000, "limit"),
    ],
    ids=["empty", "prose", "binary", "not UTF-8", "50 MB"],
)
def test_what_is_no_patch_is_refused_before_a_run_begins(tiny: Project, patch: bytes, said: str) -> None:
    (tiny.root / "bad.patch").write_bytes(patch)
    before = tiny.snapshot()
    done = dev_agent(tiny, "apply", "task", "--patch", "bad.patch", "--json")
    assert done.returncode == 2
    assert said in answered(done)["error"]["message"]
    assert tiny.snapshot() == before
    assert answered(dev_agent(tiny, "runs", "--json"))["runs"] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("apply", "task"), "no recipe understands this task"),
        (("apply", "task", "--proposer", "patch"), "--patch is missing"),
        (("apply", "task", "--proposer", "recipes", "--patch", "-"), "a patch is given"),
        (("apply", "task", "--patch", "-", "--path", "src"), "--path tells a recipe"),
        (("apply", "task", "--proposer", "somebody"), "somebody"),
        (("apply", "task", "--patch", "missing.patch"), "missing.patch"),
        (("apply", " ", "--patch", "-"), "the task is empty"),
        (("apply", "task", "--patch", "-", "--branch", "a..b"), "branch name"),
        (("apply", "task", "--patch", "-", "--policy", "strictest"), "strictest"),
        (("apply", "task", "--patch", "-", "--sandbox", "perhaps"), "perhaps"),
        (("apply", "task", "--patch", "-", "--must-pass", "all", "--must-pass", "x"), "--must-pass"),
        (("show", "nothing"), "no runs yet"),
        (("verify", "nothing"), "no runs yet"),
        (("program", "check", "missing.toml"), "missing.toml"),
        (("program", "graph", "aply"), "'aply'"),
        (("program", "graph", "."), "cannot be read"),
        (("recipes", "nothing-like-it"), "nothing-like-it"),
    ],
)
def test_wrong_words_are_the_users_to_mend(tiny: Project, args: tuple[str, ...], said: str) -> None:
    before = tiny.snapshot()
    done = dev_agent(tiny, *args, stdin=GOOD)
    assert done.returncode == 2, done.stderr.decode()
    assert said in done.stderr.decode()
    assert "hint: " in done.stderr.decode()
    assert done.stdout == b""
    assert tiny.snapshot() == before


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pyproject.toml": CONFIG + b'\n[tool.dev-agent]\npyhton = "x"\n'}, "python"),
        ({"pyproject.toml": b"[broken\n"}, "TOML"),
        ({"pyproject.toml": CONFIG + b'\n[tool.dev-agent]\npolicy = "p.toml"\n', "p.toml": b"[[["}, "TOML"),
    ],
    ids=["unknown key", "unreadable settings", "unreadable policy"],
)
def test_faulty_settings_are_named(tiny: Project, files: dict[str, bytes], said: str) -> None:
    tiny.commit("settings", dict(files))
    before = tiny.snapshot()
    done = dev_agent(tiny, "apply", "task", "--patch", "-", stdin=GOOD)
    assert done.returncode == 2, done.stderr.decode()
    assert said in done.stderr.decode()
    assert tiny.snapshot() == before


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    bare = make_repository(tmp_path, bare=True, name="bare.git")
    done = dev_agent(bare, "apply", "task", "--patch", "-", "--json", stdin=GOOD)
    assert (done.returncode, answered(done)["error"]["code"]) == (2, "bare-repo")


def test_hostile_text_cannot_act_on_a_terminal(tiny: Project) -> None:
    hostile = GOOD.replace("2 * number", "3 * number  # \x1b[2J\u202e")
    task = "clear \x1b[2J\u202ethe screen"
    done = dev_agent(tiny, "apply", task, "--patch", "-", stdin=hostile)
    shown = done.stdout + done.stderr + dev_agent(tiny, "show").stdout + dev_agent(tiny, "runs").stdout
    assert done.returncode in {1, 2}
    assert b"\x1b" not in shown
    assert "\u202e".encode() not in shown


def test_a_terminal_gets_colours_and_a_live_view_and_a_pipe_does_not(tiny: Project) -> None:
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "apply", "Look", "--patch", "fix.patch", "--dry-run"],
        cwd=tiny.root,
        env={**tiny.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    live = drained(ours)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 0, live.decode()
    assert b"\x1b[" in live
    assert b"staged" in live
    assert b"\x1b" not in out


def drained(descriptor: int) -> bytes:
    """All that is said to a terminal until its other end is closed."""
    data = b""
    try:
        while part := os.read(descriptor, 65_536):
            data += part
    except OSError:  # how a Linux pty says that its other end is closed
        pass
    finally:
        os.close(descriptor)
    return data


def test_a_reader_that_goes_away_does_not_change_the_verdict(tiny: Project) -> None:
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    child = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "apply", "Double faster", "--patch", "fix.patch"],
        cwd=tiny.root,
        env=dict(tiny.environ),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    assert child.wait(timeout=300) == 0
    assert tiny.git("rev-list", "--count", "HEAD") == "2"


def test_nothing_to_recover_is_said_so(tiny: Project) -> None:
    done = dev_agent(tiny, "recover", "--json")
    assert (done.returncode, answered(done)) == (0, {"actions": [], "kept": []})


def test_the_doctor_finds_this_repository_ready(tiny: Project) -> None:
    done = dev_agent(tiny, "doctor", "--json")
    assert done.returncode == 0, done.stdout.decode()
    topics = {one["topic"]: one["status"] for one in answered(done)["findings"]}
    assert set(topics) >= {
        "git",
        "identity",
        "confinement",
        "interpreter",
        "type checker",
        "test runner",
        "policy",
    }


def test_the_doctor_names_a_missing_identity_and_its_remedy(tiny: Project) -> None:
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    nobody = tiny.without_environ(*names)
    nobody.git("config", "user.useConfigOnly", "true")
    done = dev_agent(nobody, "doctor")
    assert done.returncode == 3
    assert b"git config --global user.name" in done.stdout


def test_every_shipped_program_is_proved_and_drawn(tiny: Project) -> None:
    proved = dev_agent(tiny, "program", "check").stdout.decode().splitlines()
    assert [row.split(" may run")[0] for row in proved] == [f"Proved: program {name}" for name in BUILTIN]
    drawn = dev_agent(tiny, "program", "graph").stdout.decode().splitlines()
    assert [row for row in drawn if row in BUILTIN] == list(BUILTIN)
    charts = dev_agent(tiny, "program", "graph", "--mermaid").stdout.decode()
    assert charts.count("flowchart") == len(BUILTIN)
    listed = answered(dev_agent(tiny, "program", "check", "--json"))["programs"]
    assert [one["program"] for one in listed] == list(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_a_shipped_program_is_proved_and_drawn_by_its_name(tiny: Project, name: str) -> None:
    assert answered(dev_agent(tiny, "program", "check", name, "--json"))["program"] == name
    drawn = dev_agent(tiny, "program", "graph", name, "--mermaid").stdout
    assert drawn.startswith(b"flowchart")
    assert (b'"land"' in drawn) is (name != CHECK)


def test_an_unknown_program_is_answered_with_the_nearest_name(tiny: Project) -> None:
    assert b"did you mean undo?" in dev_agent(tiny, "program", "graph", "udno").stderr
    assert b"apply, check, undo" in dev_agent(tiny, "program", "check", "zzz").stderr


def test_a_program_that_cannot_be_proved_is_refused_with_its_faults(tiny: Project) -> None:
    (tiny.root / "p.toml").write_text('name = "x"\nstart = "nowhere"\n', encoding="utf-8")
    done = dev_agent(tiny, "program", "check", "p.toml")
    assert done.returncode == 2
    assert b"nowhere" in done.stderr or b"states" in done.stderr


def test_work_in_the_way_keeps_the_change_and_resume_lands_it(tiny: Project) -> None:
    tiny.write("tiny.py", TINY + b"# mine\n")
    before = tiny.snapshot()
    kept = dev_agent(tiny, "apply", "Double faster", "--patch", "-", "--json", stdin=GOOD)
    assert (kept.returncode, answered(kept)["outcome"]) == (6, "kept"), kept.stderr.decode()
    assert tiny.snapshot() == before
    tiny.write("tiny.py", TINY)
    resumed = dev_agent(tiny, "resume", "last", "--json")
    assert (resumed.returncode, answered(resumed)["outcome"]) == (0, "committed"), resumed.stderr.decode()
    assert tiny.git("status", "--porcelain") == ""


def test_a_change_can_land_on_a_new_branch_from_another_folder(tiny: Project, tmp_path: Path) -> None:
    head = tiny.git("rev-parse", "HEAD")
    elsewhere = Project(root=tmp_path, environ=tiny.environ)
    done = dev_agent(
        elsewhere,
        *("apply", "Double faster", "--patch", "-", "--branch", "faster", "-C", str(tiny.root), "--json"),
        stdin=GOOD,
    )
    assert (done.returncode, answered(done)["branch"]) == (0, "faster"), done.stderr.decode()
    assert tiny.git("rev-parse", "HEAD") == head
    assert tiny.git("rev-parse", "faster") == answered(done)["commit"]


def test_a_test_that_must_pass_and_does_not_is_a_rejection(tiny: Project) -> None:
    before = tiny.snapshot()
    done = dev_agent(
        tiny,
        "apply",
        "task",
        "--patch",
        "-",
        "--must-pass",
        "test_tiny.py::test_missing",
        "--json",
        stdin=GOOD,
    )
    assert (done.returncode, answered(done)["outcome"]) == (1, "rejected"), done.stderr.decode()
    assert tiny.snapshot() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_calmly_and_changes_nothing(tiny: Project, number: signal.Signals) -> None:
    endless = b"import time\n\n\ndef test_endless() -> None:\n    while True:\n        time.sleep(0.1)\n"
    tiny.commit("endless", {"test_tiny.py": endless})
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    before = tiny.snapshot()
    child = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "apply", "task", "--patch", "fix.patch", "--json"],
        cwd=tiny.root,
        env=dict(tiny.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    for row in child.stderr:
        if json.loads(row) == {"event": "branch_started", "state": "check", "action": "tests"}:
            break
    child.send_signal(number)
    out, _ = child.communicate(timeout=300)
    assert child.returncode == 130
    assert json.loads(out)["outcome"] == "interrupted"
    assert tiny.snapshot() == before
