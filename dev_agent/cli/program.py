"""`dev-agent program`: check or draw a program, the state machine a run follows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson
from dev_agent.cli.pages.program import check_page, graph_page
from dev_agent.cli.session import Session
from dev_agent.programs.check import check_program, draw_program

app = command_app()

ProgramFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="A program file; the built-in `apply` if left out.")
]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="As a Mermaid state diagram.")]


@app.callback()
def _group() -> None:
    """Check or draw a program, the state machine a run follows."""


@app.command()
def check(path: ProgramFile = None, *, as_json: AsJson = False) -> int:
    """Prove what has to hold before a program may run. Exit code 2 with every fault if it does not."""
    faults = check_program(path)
    Session(directory=HERE, as_json=as_json).output.page(check_page(path, faults))
    return 2 if faults else 0


@app.command()
def graph(path: ProgramFile = None, *, mermaid: Mermaid = False, as_json: AsJson = False) -> int:
    """Draw a program: its states, its outcomes, and where they lead."""
    Session(directory=HERE, as_json=as_json).output.page(graph_page(draw_program(path, mermaid=mermaid)))
    return 0
