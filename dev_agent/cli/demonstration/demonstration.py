"""Plays the demo: prints each command, runs it, and checks from outside that it kept its promise."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from dev_agent.cancel import Cancel
from dev_agent.cli.demonstration.material import Stage
from dev_agent.cli.demonstration.words import python_files_with
from dev_agent.cli.output.page import Fit, Line, Style, count, line, prose, span
from dev_agent.cli.output.terminal import Terminal
from dev_agent.lab.state import UserState, clean_environment, user_state
from dev_agent.process import Completed, Stopped, run
from dev_agent.values import dataclass

_NOTE = "\nA note the user has not committed.\n"
_TENTH = "tests/test_discounts.py::test_the_discount_begins_with_the_tenth_item"
_PATIENCE_S = 300.0


class Promise(Enum):
    """What a command may do to what the user owns."""

    UNTOUCHED = "the repository is byte-identical: HEAD, refs, index, config and every file"
    ONE_COMMIT = "exactly one commit was added, and the uncommitted note is still there"


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """A command, what it shows, how it has to end, and what it may do; `gone` is a word no Python file holds then."""

    title: str
    args: tuple[str, ...]
    exit_code: int
    promise: Promise = Promise.UNTOUCHED
    gone: str = ""


def acts(sandbox: tuple[str, ...]) -> tuple[Act, ...]:
    """The play. `sandbox` is added to every command that runs the project's code."""
    return (
        Act(
            title="A change that breaks the types is refused.",
            args=(
                "apply",
                "Say when a line has the bulk price",
                "--patch",
                "../patches/breaks-types.patch",
                *sandbox,
            ),
            exit_code=1,
        ),
        Act(
            title="A change that breaks tests is refused, however sensible it sounds.",
            args=("apply", "Round as banks do", "--patch", "../patches/breaks-a-test.patch", *sandbox),
            exit_code=1,
        ),
        Act(
            title="What a model wrote, judged in full but not landed.",
            args=(
                "apply",
                "Refuse negative tax rates",
                "--patch",
                "../patches/answer.md",
                "--dry-run",
                *sandbox,
            ),
            exit_code=0,
        ),
        Act(
            title="A fix with a test that fails before and passes after lands as one commit.",
            args=(
                *("apply", "Begin the bulk discount with the tenth item"),
                *("--patch", "../patches/fix-bulk-discount.patch", "--must-pass", _TENTH, *sandbox),
            ),
            exit_code=0,
            promise=Promise.ONE_COMMIT,
        ),
        Act(
            title="The model's answer lands too, on top of it.",
            args=("apply", "Refuse negative tax rates", "--patch", "../patches/answer.md", *sandbox),
            exit_code=0,
            promise=Promise.ONE_COMMIT,
        ),
        Act(
            title="No patch at all: a recipe renames a class, with its uses, its tests and a name in a string.",
            args=("apply", "rename Line to Position", *sandbox),
            exit_code=0,
            promise=Promise.ONE_COMMIT,
            gone="Line",
        ),
        Act(title="Every attempt is remembered.", args=("runs",), exit_code=0),
        Act(title="What happened in the last one.", args=("show", "last"), exit_code=0),
        Act(title="Its proof, checked again from its trace.", args=("verify", "last"), exit_code=0),
    )


@dataclass(kw_only=True, slots=True)
class Demonstration:
    """One performance on a prepared stage."""

    stage: Stage
    terminal: Terminal
    environ: Mapping[str, str] = field(repr=False)
    cancel: Cancel
    broken: list[str] = field(default_factory=list)

    def run(self) -> int:
        """Play every act. 0 if every promise held, 1 if one did not."""
        self._say(f"A small project of invoices in {self.stage.project}, with a fault in its bulk discount.")
        readme = self.stage.project / "README.md"
        readme.write_text(readme.read_text(encoding="utf-8") + _NOTE, encoding="utf-8")
        self._say("Somebody works on it: README.md has a change that is not committed.")
        played = acts(self._sandbox())
        for act in played:
            self._play(act)
        if not readme.read_text(encoding="utf-8").endswith(_NOTE):
            self.broken.append("the uncommitted note in README.md is gone")
        return self._close(len(played))

    def _sandbox(self) -> tuple[str, ...]:
        """Nothing, where the machine can confine; otherwise the user's word that is needed to go on."""
        done = self._dev_agent("doctor", "--json")
        findings = json.loads(done.stdout).get("findings", ()) if done.stdout else ()
        if any(one["topic"] == "confinement" and one["status"] == "lack" for one in findings):
            self._say(
                "This machine cannot confine programs, so the demo runs its own project with --sandbox off."
            )
            return ("--sandbox", "off")
        return ()

    def _play(self, act: Act) -> None:
        self.terminal.write_line(line(""))
        self._say(act.title)
        shown = " ".join(["dev-agent", *map(shlex.quote, act.args)])
        # Whole, so that it can be copied from a narrow terminal too.
        self.terminal.write_line(
            Line(spans=(span("$ ", Style.DIM), span(shown, Style.STRONG)), fit=Fit.WHOLE)
        )
        before = user_state(self.stage.project, self.stage.git, self.environ)
        done = self._dev_agent(*act.args)
        # The command's own output: it escaped what needed escaping, and its colours are wanted here.
        progress = done.stderr + b"\n" if done.stderr and done.stdout else done.stderr
        self.terminal.write_text((progress + done.stdout).decode("utf-8", "replace"))
        if done.code != act.exit_code:
            self._fail(f"`{shown}` ended with {done.code}, not with {act.exit_code}")
            return
        if not kept(act.promise, before, user_state(self.stage.project, self.stage.git, self.environ)):
            self._fail(f"after `{shown}` this does not hold: {act.promise.value}")
            return
        left = python_files_with(act.gone, self.stage.project) if act.gone else ()
        if left:
            self._fail(f"after `{shown}` {act.gone!r} is still in {', '.join(left)}")
            return
        self.terminal.write_line(
            line(span(f"✓ exit {done.code}; ", Style.GOOD), span(act.promise.value, Style.DIM))
        )

    def _dev_agent(self, *args: str) -> Completed:
        env = clean_environment(self.environ)
        if self.terminal.colour:
            env["FORCE_COLOR"] = "1"
        done = run(
            [sys.executable, "-m", "dev_agent", *args],
            cwd=self.stage.project,
            env={**env, "COLUMNS": str(self.terminal.width)},
            timeout_s=_PATIENCE_S,
            cancel=self.cancel,
        )
        if done.stopped is Stopped.CANCELLED:
            raise KeyboardInterrupt
        return done

    def _close(self, played: int) -> int:
        self.terminal.write_line(line(""))
        if not self.broken:
            did = "did what it promises" if played == 1 else "did what they promise"
            end = prose(f"{count(played, 'command')} {did}.", lead=(span("Demo passed: ", Style.GOOD),))
        else:
            end = prose("\n".join(self.broken), lead=(span("Demo failed: ", Style.BAD),))
        for one in end:
            self.terminal.write_line(one)
        return 1 if self.broken else 0

    def _fail(self, what: str) -> None:
        self.broken.append(what)
        self.terminal.write_line(line(span(f"✗ {what}", Style.BAD)))

    def _say(self, text: str) -> None:
        for one in prose(text, style=Style.NAME):
            self.terminal.write_line(one)


def kept(promise: Promise, before: UserState, after: UserState) -> bool:
    """True if what the user owns changed no more than promised."""
    if promise is Promise.UNTOUCHED:
        return before == after
    return (
        after.commits == before.commits + 1
        and after.head == before.head
        and after.config == before.config
        # Only the note is left over: the landed files are in the commit, the index and the work tree alike.
        and after.status == before.status
    )
