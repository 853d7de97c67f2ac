"""The group of commands and the outermost edge: arguments in, exit code out, no exception past here.

A command's module is imported when the command is used; the list of commands is static text, so that help
costs no import. Typer's own handling of errors is passed by: kinds of failure are mapped in `failure` only.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dev_agent import __version__
from dev_agent.cancel import signals_interrupt
from dev_agent.cli.plain_values import take_plain_values
from dev_agent.errors import UsageFault

COMMANDS = {
    "apply": (
        "dev_agent.cli.apply",
        "Stage a change apart, judge it, and land it as one commit or not at all.",
    ),
    "run": (
        "dev_agent.cli.run",
        "Let any program work on a copy, judge what it changed, and land it as one commit or not at all.",
    ),
    "check": ("dev_agent.cli.check", "Judge a change that exists, and land nothing."),
    "premerge": (
        "dev_agent.cli.premerge",
        "Judge the merge of a head into its base: as a bot, as a git hook, at a shell; land it with --land.",
    ),
    "queue": (
        "dev_agent.cli.queue",
        "Test heads as they would land, several at a time, and land the good ones.",
    ),
    "worker": ("dev_agent.cli.worker", "Judge for others, at a Dask scheduler; needs the extra cluster."),
    "issue": ("dev_agent.cli.issue", "Work on an issue of GitHub, up to a draft pull request."),
    "campaign": (
        "dev_agent.cli.campaign",
        "Let one task go through many repositories, each in its own run, up to draft pull requests.",
    ),
    "resume": ("dev_agent.cli.resume", "Go on with an interrupted run."),
    "approve": ("dev_agent.cli.approve", "Let a run that waits for a person land."),
    "reject": ("dev_agent.cli.reject", "Turn down a run that waits for a person."),
    "undo": ("dev_agent.cli.undo", "Take back what a run landed, by a commit of its own."),
    "runs": ("dev_agent.cli.runs", "List the runs of this repository."),
    "show": ("dev_agent.cli.show", "Tell what happened in a run, and why."),
    "diff": ("dev_agent.cli.diff", "Print the change of a run as a patch."),
    "verify": ("dev_agent.cli.verify", "Check the proof of a run or of a receipt file, offline."),
    "replay": ("dev_agent.cli.replay", "Execute a run again from what it recorded, and compare."),
    "stats": (
        "dev_agent.cli.stats",
        "Measure runs: outcomes, times, costs, and whether they go round in circles.",
    ),
    "recover": ("dev_agent.cli.recover", "Put in order what a crash left behind."),
    "prune": ("dev_agent.cli.prune", "List, and drop, old runs, caches and private work trees."),
    "gc": ("dev_agent.cli.gc", "Keep private work trees and caches below a size."),
    "erase": ("dev_agent.cli.erase", "Take payloads of a run away for good; the proof stays whole."),
    "doctor": ("dev_agent.cli.doctor", "Say whether this machine and repository are ready."),
    "recipes": ("dev_agent.cli.recipes", "List the tasks that need neither a patch nor a model."),
    "context": (
        "dev_agent.cli.context",
        "Show what a model would see of the repository for a task, and why.",
    ),
    "program": ("dev_agent.cli.program", "Check, draw or run a program: a state machine, and what runs it."),
    "mcp": (
        "dev_agent.cli.mcp",
        "Let other agents propose changes, over the Model Context Protocol.",
    ),
    "console": ("dev_agent.cli.console", "Look at the runs of this repository in a browser."),
    "lab": (
        "dev_agent.cli.lab",
        "Attack the engine in a scratch repository, and show what stops each attack.",
    ),
    "init": (
        "dev_agent.cli.init",
        "Write the files for continuous integration and hooks; shown first, then asked.",
    ),
    "policy": ("dev_agent.cli.policy", "Check, test and explain policies, and try their expressions."),
    "demo": ("dev_agent.cli.demo", "Show everything on a small project of its own."),
}
PROGRAM = "dev-agent"


class LazyGroup(TyperGroup):
    """Knows its commands by name and text; imports one when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """The commands in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        with signals_interrupt():
            command = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name][0]).app)
        command.name = cmd_name
        return take_plain_values(command)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """The list of commands from static text."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer does, with a suggestion from the lazy names."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = get_close_matches(args[0].lower(), COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        return super().resolve_command(ctx, args)


def command_app() -> typer.Typer:
    """A fresh typer application with the settings all commands share: plain help, no tracebacks."""
    return typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, context_settings=SETTINGS
    )


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_GROUP = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=SETTINGS,
    subcommand_metavar="COMMAND",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


_Version = Annotated[
    bool,
    typer.Option(
        "--version", "-V", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
]


@_GROUP.callback()
def _root(*, version: _Version = False) -> None:
    """The coding agent that cannot break your repository.

    A change is staged apart, judged by policy, mypy --strict and pytest in a sandbox, and then becomes one
    commit, or leaves your repository exactly as it was.

    Exit codes: 0 committed, verified or nothing to do; 1 rejected; 2 usage; 3 environment; 4 budget; 5
    waits for a person; 6 verified but kept; 70 a bug of ours; 130 interrupted.
    """


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` (without the program's name) and return its exit code."""
    environ = dict(os.environ)
    try:
        return _invoke(argv)
    except KeyboardInterrupt as stop:
        from dev_agent.cli.failure import interrupted  # noqa: PLC0415 - only where something failed

        failure = interrupted(began=type(stop) is not KeyboardInterrupt)
    except Exception as error:  # noqa: BLE001 - the outermost edge: every kind has its words and its code
        from dev_agent.cli.failure import failure_of  # noqa: PLC0415 - only where something failed

        failure = failure_of(error, argv=argv, environ=environ)
    from dev_agent.cli.output.output import choose_output  # noqa: PLC0415 - only where something failed

    choose_output(environ, as_json=wants_json(argv, environ), quiet=False).failure(failure)
    return int(failure.exit_code)


def _invoke(argv: Sequence[str]) -> int:
    """Parse and call. Typer's own usage errors become ours; the rest passes through."""
    group = take_plain_values(typer.main.get_command(_GROUP))
    try:
        with group.make_context(PROGRAM, list(argv)) as context:
            code = group.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except typer.TyperException as error:
        # No arguments at all: typer's "error" is the help text, made for stderr.
        if not argv:
            sys.stderr.write(error.format_message() + "\n")
            return 2
        raise UsageFault(error.format_message(), hint=_hint(error, argv)) from None
    return code if isinstance(code, int) else 0


def _hint(error: typer.TyperException, argv: Sequence[str]) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    meant = _option_meant(context, error.format_message(), argv) if context is not None else ""
    return f"{meant}`{path} --help` lists what there is"


def _option_meant(context: Any, said: str, argv: Sequence[str]) -> str:
    """For a word too many that is nearly an option's name: to people `init github` and `init --github` are one."""
    if TOO_MANY not in said:
        return ""
    options = {
        name.removeprefix("--"): name
        for option in context.command.params
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--")
    }
    for word in argv:
        near = get_close_matches(word.lower(), options, n=1) if word in said.split("(", 1)[-1] else ()
        if near:
            return f"did you mean {options[near[0]]}? "
    return ""


TOO_MANY = "unexpected extra argument"
"""Typer's words for it: there is no exception of its own."""


def wants_json(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """True if the user asked for JSON, told from the raw arguments: they may not have parsed."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    return "--json" in options or environ.get("DEV_AGENT_JSON", "").lower() in {
        "1",
        "true",
        "yes",
        "on",
        "t",
        "y",
    }
