"""What goes to stdout, what to stderr, and what a program can rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from dev_agent.cli import campaign_watching, queue_watching
from dev_agent.cli.failure import ExitCode, Failure
from dev_agent.cli.output.human import HumanOutput
from dev_agent.cli.output.json import JsonOutput
from dev_agent.cli.output.output import Output, choose_output
from dev_agent.cli.output.page import Page, prose
from dev_agent.cli.output.terminal import Terminal
from dev_agent.cli.session import Session
from dev_agent.runtime.engine import Reporter
from tests.cli.conftest import written

Maker = Callable[..., Terminal]
PAGE = Page(data={"answer": 42}, lines=prose("The answer is 42."))
FAILURE = Failure(exit_code=ExitCode.USAGE, message="no \x1b[31mgood", hint="do better", code="bad")
PATCH = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\x1b[0m\r\n+caf\xe9\n"


def walk(reporter: Reporter) -> None:
    """What an engine tells about a small run."""
    reporter.entered("stage", 1)
    reporter.left("stage", "staged", 12)
    reporter.entered("check", 2)
    reporter.branch_started("check", "types")
    reporter.branch_left("check", "types", "passed", 1500)
    reporter.noted("a note with \x1b[2J in it")
    reporter.left("check", "failed", 2500)


def test_json_puts_one_object_on_stdout_and_an_object_a_line_on_stderr(pipe: Maker) -> None:
    out, err = pipe(), pipe()
    output = JsonOutput(stdout=out, stderr=err)
    with output.watching() as reporter:
        walk(reporter)
    output.page(PAGE)
    assert json.loads(written(out)) == {"answer": 42}
    events = [json.loads(row) for row in written(err).splitlines()]
    assert events == [
        {"event": "entered", "state": "stage", "attempt": 1},
        {"event": "left", "state": "stage", "outcome": "staged", "ms": 12},
        {"event": "entered", "state": "check", "attempt": 2},
        {"event": "branch_started", "state": "check", "action": "types"},
        {"event": "branch_left", "state": "check", "action": "types", "outcome": "passed", "ms": 1500},
        {"event": "noted", "text": "a note with \x1b[2J in it"},
        {"event": "left", "state": "check", "outcome": "failed", "ms": 2500},
    ]
    assert "\x1b" not in written(err)


@pytest.mark.parametrize("variant", [HumanOutput, JsonOutput])
def test_quiet_leaves_the_progress_out_and_nothing_else(
    pipe: Maker, variant: type[HumanOutput] | type[JsonOutput]
) -> None:
    out, err = pipe(), pipe()
    output = variant(stdout=out, stderr=err, quiet=True)
    with output.watching() as reporter:
        walk(reporter)
    assert written(err) == ""
    output.page(PAGE)
    output.failure(FAILURE)
    assert "42" in written(out)
    assert "do better" in written(out) + written(err)


def test_json_and_quiet_together_are_quiet(monkeypatch: pytest.MonkeyPatch, pipe: Maker) -> None:
    err = pipe()
    monkeypatch.setattr("dev_agent.cli.output.output.standard_terminals", lambda _environ: (pipe(), err))
    with choose_output({}, as_json=True, quiet=True).watching() as reporter:
        walk(reporter)
    assert written(err) == ""


def test_progress_for_people_goes_to_stderr_as_plain_lines_in_a_pipe(pipe: Maker) -> None:
    out, err = pipe(), pipe()
    with HumanOutput(stdout=out, stderr=err, quiet=False).watching() as reporter:
        walk(reporter)
    assert written(out) == ""
    assert written(err).splitlines() == [
        "stage          staged",
        "  types        passed  1.5 s",
        "  a note with \\x1b[2J in it",
        "check (attempt 2) failed  2.5 s",
    ]


def test_quiet_shows_no_progress_but_the_answer(pipe: Maker) -> None:
    out, err = pipe(), pipe()
    output = HumanOutput(stdout=out, stderr=err, quiet=True)
    with output.watching() as reporter:
        walk(reporter)
    output.page(PAGE)
    assert (written(out), written(err)) == ("The answer is 42.\n", "")


def test_a_terminal_sees_every_state_live_and_escaped(pipe: Maker, screen: Maker) -> None:
    err = screen()
    with HumanOutput(stdout=pipe(), stderr=err, quiet=False).watching() as reporter:
        walk(reporter)
    shown = written(err)
    assert all(word in shown for word in ("stage", "staged", "types", "passed", "1.5 s", "check", "failed"))
    assert "\\x1b[2J" in shown
    assert "\x1b[2J" not in shown


def test_a_dumb_terminal_gets_no_live_view(pipe: Maker, screen: Maker) -> None:
    err = screen(TERM="dumb")
    with HumanOutput(stdout=pipe(), stderr=err, quiet=False).watching() as reporter:
        walk(reporter)
    assert "\x1b" not in written(err)


def test_a_patch_in_a_pipe_is_byte_for_byte(pipe: Maker) -> None:
    out = pipe()
    HumanOutput(stdout=out, stderr=pipe(), quiet=False).patch(PATCH, {})
    raw = out.stream.buffer
    raw.seek(0)
    assert raw.read() == PATCH


def test_a_patch_on_a_terminal_is_coloured_and_harmless(screen: Maker, pipe: Maker) -> None:
    out = screen()
    HumanOutput(stdout=out, stderr=pipe(), quiet=False).patch(PATCH, {})
    assert written(out).splitlines()[-2:] == ["\x1b[31m-a\\x1b[0m\\r\x1b[0m", "\x1b[32m+caf\\xe9\x1b[0m"]


def test_a_patch_as_json_is_a_member(pipe: Maker) -> None:
    out = pipe()
    JsonOutput(stdout=out, stderr=pipe()).patch(b"diff", {"run": "r"})
    assert json.loads(written(out)) == {"run": "r", "diff": "diff"}


def test_a_failure_is_words_on_stderr_for_people(pipe: Maker) -> None:
    out, err = pipe(), pipe()
    HumanOutput(stdout=out, stderr=err, quiet=True).failure(FAILURE)
    assert (written(out), written(err)) == ("", "error: no \\x1b[31mgood\nhint: do better\n")


def test_a_failure_is_an_object_on_stdout_for_programs(pipe: Maker) -> None:
    out = pipe()
    JsonOutput(stdout=out, stderr=pipe()).failure(FAILURE)
    assert json.loads(written(out)) == {
        "error": {
            "kind": "usage",
            "code": "bad",
            "message": "no \x1b[31mgood",
            "hint": "do better",
            "exit_code": 2,
        }
    }


@pytest.mark.parametrize("variant", [HumanOutput, JsonOutput])
def test_both_variants_keep_the_interface(variant: type[HumanOutput] | type[JsonOutput], pipe: Maker) -> None:
    out, err = pipe(), pipe()
    output: Output = variant(stdout=out, stderr=err, quiet=True)
    output.page(PAGE)
    assert "42" in written(out)
    assert written(err) == ""


@pytest.mark.parametrize("module", [campaign_watching, queue_watching], ids=["campaign", "queue"])
def test_quiet_is_heard_by_what_watches_many_runs_with_json_too(module: ModuleType, tmp_path: Path) -> None:
    kinds = []
    for quiet in (False, True):
        with module.watching(Session(directory=tmp_path, as_json=True, quiet=quiet, environ={})) as watcher:
            kinds.append(type(watcher))

    assert kinds == [module.JsonWatcher, module.Watcher]
