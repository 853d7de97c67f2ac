"""`dev-agent program`: check or draw a program, the state machine a run follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson
from dev_agent.cli.pages.program import check_page, graph_page
from dev_agent.cli.program_run import list_runs, resume, run, show
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.builtin import APPLY, builtin_text, load_and_prove
from dev_agent.programs.hosting.module import load_actions
from dev_agent.runtime.graph import mermaid as as_mermaid
from dev_agent.runtime.graph import text as as_text
from dev_agent.runtime.program import load_program

app = command_app()

ProgramFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A program file; the built-in `apply` if left out.")
]
ProvedWith = Annotated[
    str | None,
    typer.Option(
        "--actions", metavar="MODULE", help="The actions of a program of your own: a .py file or a module."
    ),
]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")]


@app.callback()
def _group() -> None:
    """Check, draw or run a program, the state machine a run follows."""


@app.command()
def check(path: ProgramFile = None, *, actions: ProvedWith = None, as_json: AsJson = False) -> int:
    """Prove what has to hold before a program may run; exit code 2, with every fault, if it does not."""
    with _readable(path):
        program = load_and_prove(path, actions=load_actions(actions) if actions else None)
    Session(directory=HERE, as_json=as_json).output.page(check_page(program))
    return 0


@app.command()
def graph(path: ProgramFile = None, *, mermaid: Mermaid = False, as_json: AsJson = False) -> int:
    """Draw a program: its states, its outcomes, and where they lead. It need not be provable yet."""
    with _readable(path):
        text = builtin_text(APPLY) if path is None else path.read_text(encoding="utf-8")
        program = load_program(text, source=str(path or "apply.toml"))
    drawing = as_mermaid(program) if mermaid else as_text(program)
    Session(directory=HERE, as_json=as_json).output.page(graph_page(drawing))
    return 0


app.command("run")(run)
app.command("resume")(resume)
app.command("show")(show)
app.command("runs")(list_runs)


@contextmanager
def _readable(path: Path | None) -> Iterator[None]:
    """A file that cannot be read is the user's to name again."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageFault(
            f"the program {path} cannot be read: {reason}", hint="name a program file"
        ) from error
