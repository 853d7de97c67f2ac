"""The outermost edge: help and version are cheap, wrong usage is explained, nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from dev_agent import __version__
from dev_agent.__main__ import main
from dev_agent.cli.app import COMMANDS, run, wants_json
from tests.testing.children import in_child
from tests.testing.repos import isolated_environ, make_repository

HEAVY = ("anthropic", "openai", "mcp", "libcst", "git", "streamlit", "pydantic", "rich")


def command(*args: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dev_agent", *args],
        cwd=cwd,
        env={**isolated_environ(cwd / "home"), **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("args", [["--version"], ["--help"]])
def test_version_and_help_import_no_heavy_package(args: list[str], tmp_path: Path) -> None:
    probe = (
        "import sys, runpy\n"
        f"sys.argv = ['dev-agent', *{args!r}]\n"
        "try:\n    runpy.run_module('dev_agent', run_name='__main__')\n"
        "except SystemExit as done:\n    assert not done.code, done.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "print('TYPER', 'typer' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True
    )
    assert "HEAVY []" in done.stderr
    assert f"TYPER {args != ['--version']}" in done.stderr


@pytest.mark.parametrize(
    "args", [["apply", "--help"], ["recipes", "--help"], ["apply", "task", "--patch", "-"], ["show"]]
)
def test_only_who_needs_recipes_a_model_or_a_conversion_waits_for_their_libraries(
    args: list[str], tmp_path: Path
) -> None:
    project = make_repository(tmp_path / "work", {"a": b"a\n"})
    probe = (
        "import sys\n"
        "from dev_agent.cli.app import run\n"
        f"run({args!r})\n"
        "slow = ('libcst', 'pydantic', 'anthropic', 'openai', 'httpx2', 'keyring')\n"
        "print('SLOW', [name for name in slow if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=project.root,
        env={**project.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        input="--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "SLOW []" in done.stderr


def test_version_is_one_line_on_stdout(tmp_path: Path) -> None:
    done = command("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"dev-agent {__version__}\n", "")


def test_help_lists_every_command_in_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown for name in COMMANDS)
    assert all(len(row) <= 80 for row in shown.splitlines())
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: dev-agent {name}" in capsys.readouterr().out


def test_no_arguments_show_the_help_and_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Commands:" in shown.err


@pytest.mark.parametrize("argv", [["apply", "Tidy", "--", "ruff", "a b"], ["apply", "--", "ruff", "a b"]])
def test_a_command_behind_a_task_is_shown_the_way_to_run(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    shown = capsys.readouterr().err
    assert "apply takes a task and no command" in shown
    assert "hint: dev-agent run --task TEXT -- ruff 'a b'" in shown


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["aply"], "No such command 'aply'. Did you mean 'apply'?"),
        (["apply", "task", "--pach", "x"], "No such option: --pach"),
        (["APLY"], "Did you mean 'apply'?"),
        (["apply"], "the task is missing"),
        (["init", "gihub"], "did you mean --github?"),
        (["prune", "slots"], "did you mean --slots?"),
        (["doctor", "zzz"], "hint: `dev-agent doctor --help`"),
        (["program", "chek"], "Did you mean 'check'?"),
        (["policy", "tset"], "Did you mean 'test'?"),
        (["issue", "propse"], "Did you mean 'propose'?"),
        (["apply", "Tidy", "up"], "hint: `dev-agent apply --help`"),
        (["runs", "--json=maybe"], "--json"),
        (["\x1b[31mred"], "\\x1b[31mred"),
    ],
)
def test_wrong_usage_is_explained_on_stderr(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert "--help" in shown.err
    assert "\x1b" not in shown.err


def test_wrong_usage_with_json_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["apply", "--json", "--nonsense"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["kind"] == "usage"


@pytest.mark.parametrize(
    ("argv", "environ", "wanted"),
    [
        (["runs"], {}, False),
        (["runs", "--json"], {}, True),
        (["apply", "--", "--json"], {}, False),
        (["runs"], {"DEV_AGENT_JSON": "1"}, True),
        (["runs"], {"DEV_AGENT_JSON": "no"}, False),
    ],
)
def test_json_is_recognised_before_parsing(argv: list[str], environ: dict[str, str], *, wanted: bool) -> None:
    assert wants_json(argv, environ) is wanted


def test_an_interruption_before_a_run_began_says_that_nothing_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_start: Path, _environ: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dev_agent.cli.session.discover", interrupted)
    assert run(["runs"]) == 130
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "Interrupted. Nothing was changed.\n")


def test_a_signal_while_the_patch_is_read_ends_the_command(tmp_path: Path) -> None:
    # The prompt for a terminal is the sign that reading has begun.
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "apply", "task", "--patch", "-"],
        cwd=tmp_path,
        env=isolated_environ(tmp_path / "home"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    assert b"end it with Ctrl-D" in child.stderr.readline()
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=300)
    os.close(ours)
    os.close(theirs)
    assert (child.returncode, said) == (130, b"Interrupted. Nothing was changed.\n")


def test_a_signal_after_the_answer_does_not_change_it(tmp_path: Path) -> None:
    probe = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dev_agent import __main__\n"
        "from dev_agent.cli import app\n"
        "from dev_agent.cli.session import Session, stoppable\n"
        "def answering(argv):\n"
        "    with stoppable(Session(directory=Path())):\n"
        "        pass\n"
        "    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "        os.kill(os.getpid(), number)\n"
        "    print('answer')\n"
        "    return 6\n"
        "app.run = answering\n"
        "class Last:\n"
        "    def __del__(self, kill=os.kill, me=os.getpid()):\n"
        "        kill(me, 2), kill(me, 15), kill(me, 1)\n"
        "sys.last = Last()\n"
        "sys.exit(__main__.main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, "runs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (6, "answer\n"), done.stderr


def test_a_bug_of_ours_is_a_report_and_code_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_start: Path, _environ: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("dev_agent.cli.session.discover", broken)
    assert run(["runs"]) == 70
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "builtins.ZeroDivisionError: ours" in shown.err
    assert "Traceback" not in shown.err
    assert run(["runs", "--json"]) == 70
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "ZeroDivisionError"


def test_outside_a_repository_says_so(tmp_path: Path) -> None:
    done = command("runs", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not inside a git repository" in done.stderr
    assert "git init" in done.stderr


def test_a_machine_without_git_is_an_environment_fault(tmp_path: Path) -> None:
    done = command("runs", "--json", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["kind"] == "environment"


@pytest.mark.parametrize(
    "args", [["runs"], ["apply", "t", "--patch", "-"], ["apply", "t", "--patch", "-", "--json"]]
)
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_streams_are_no_bug(tmp_path: Path, args: list[str], closed: tuple[int, ...]) -> None:
    closing = " ".join(f"{number}>&-" for number in closed)
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closing}', "sh", sys.executable, "-m", "dev_agent", *args],
        cwd=tmp_path,
        env=isolated_environ(tmp_path / "home"),
        input=b"",
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, done
    assert b"has a bug" not in done.stderr + done.stdout


def test_an_answer_nobody_could_write_is_an_environment_fault(tmp_path: Path) -> None:
    project = make_repository(tmp_path / "work", {"a": b"a\n"})
    environ = isolated_environ(tmp_path / "home")
    command_line = [sys.executable, "-m", "dev_agent", "runs", "-C", str(project.root)]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        for more in ([], ["--json"]):
            done = subprocess.run(
                [*command_line, *more],
                cwd=tmp_path,
                env=environ,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=300,
                check=False,
            )
            assert done.returncode == 3
            assert b"Traceback" not in done.stderr
            assert b"Exception ignored" not in done.stderr


def test_a_current_directory_that_is_gone_is_refused_and_does_not_matter_beside_a_whole_path(
    tmp_path: Path,
) -> None:
    project = make_repository(tmp_path / "work", {"a": b"a\n"})
    (tmp_path / "gone").mkdir()
    patch = b"--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n"

    def run_there(*args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                "sh",
                "-c",
                'mkdir -p gone && cd gone && rmdir ../gone && exec "$@"',
                "sh",
                sys.executable,
                *args,
            ],
            cwd=tmp_path,
            env={**isolated_environ(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parents[2])},
            input=patch,
            capture_output=True,
            timeout=300,
            check=False,
        )

    refused = run_there("-m", "dev_agent", "runs")
    assert refused.returncode == 2
    assert b"does not exist any more" in refused.stderr
    applied = run_there("-m", "dev_agent", "apply", "t", "--patch", "-", "-C", str(project.root), "--dry-run")
    assert applied.returncode == 0, applied.stderr


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = command("runs", "-C", "nowhere", cwd=tmp_path)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert done.stderr.count("\n") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_a_command_is_imported_has_its_words_and_code(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "slow_to_import.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(COMMANDS, "runs", ("slow_to_import", "never gets there"))

    def interrupted() -> None:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
        assert run(["runs"]) == 130
        assert "Nothing was changed" in capsys.readouterr().err

    # In a child, which alone dies of it otherwise.
    assert in_child(interrupted) == 0


def test_a_signal_while_the_framework_is_imported_has_them_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopping(MetaPathFinder):
        def find_spec(self, fullname: str, path: object, target: object = None) -> None:
            if fullname == "dev_agent.cli.app":
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.delitem(sys.modules, "dev_agent.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Stopping(), *sys.meta_path])
    monkeypatch.setattr(sys, "argv", ["dev-agent", "runs"])

    def interrupted() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert main() == 130
        assert capsys.readouterr().err == "Interrupted. Nothing was changed.\n"

    assert in_child(interrupted) == 0
