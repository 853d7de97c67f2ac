"""`dev-agent program`: check or draw a program, the state machine a run follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson
from dev_agent.cli.pages.program import check_page, checks_page, graph_page, graphs_page
from dev_agent.cli.program_run import list_runs, resume, run, show
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.builtin import BUILTIN, builtin_text, load_and_prove
from dev_agent.programs.hosting.module import load_actions
from dev_agent.runtime.graph import mermaid as as_mermaid
from dev_agent.runtime.graph import text as as_text
from dev_agent.runtime.program import load_program

app = command_app()

Named = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME|FILE]",
        help=f"A shipped program ({', '.join(BUILTIN)}) or a file; every shipped one if left out.",
    ),
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
def check(program: Named = None, *, actions: ProvedWith = None, as_json: AsJson = False) -> int:
    """Prove what has to hold before a program may run; exit code 2, with every fault, if it does not."""
    output = Session(directory=HERE, as_json=as_json).output
    if actions and (program is None or program in BUILTIN):
        raise UsageFault("--actions are for a program of your own, which is missing", hint="name its file")
    if program is None:
        output.page(checks_page([load_and_prove(None, builtin=name) for name in BUILTIN]))
    elif program in BUILTIN:
        output.page(check_page(load_and_prove(None, builtin=program)))
    else:
        with _readable(program) as path:
            proved = load_and_prove(path, actions=load_actions(actions) if actions else None)
        output.page(check_page(proved))
    return 0


@app.command()
def graph(program: Named = None, *, mermaid: Mermaid = False, as_json: AsJson = False) -> int:
    """Draw a program: its states, its outcomes, and where they lead. It need not be provable yet."""
    output = Session(directory=HERE, as_json=as_json).output
    if program is None:
        drawings = {name: _drawn(builtin_text(name), name, mermaid=mermaid) for name in BUILTIN}
        # A line that begins like this is a comment to Mermaid.
        output.page(graphs_page(drawings, mark="%% " if mermaid else ""))
    elif program in BUILTIN:
        output.page(graph_page(_drawn(builtin_text(program), program, mermaid=mermaid)))
    else:
        with _readable(program) as path:
            text = path.read_text(encoding="utf-8")
        output.page(graph_page(_drawn(text, program, mermaid=mermaid)))
    return 0


app.command("run")(run)
app.command("resume")(resume)
app.command("show")(show)
app.command("runs")(list_runs)


def _drawn(text: str, source: str, *, mermaid: bool) -> str:
    loaded = load_program(text, source=source)
    return as_mermaid(loaded) if mermaid else as_text(loaded)


@contextmanager
def _readable(name: str) -> Iterator[Path]:
    """The file of that name. One that cannot be read is the user's to name again, maybe as a shipped program."""
    path = Path(name)
    near = get_close_matches(name, BUILTIN, n=1)
    try:
        yield path
    except FileNotFoundError as error:
        raise UsageFault(
            f"there is no program {name!r}: neither shipped, nor a file",
            hint=f"did you mean {near[0]}?" if near else f"name a file, or one of: {', '.join(BUILTIN)}",
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageFault(
            f"the program {name} cannot be read: {reason}", hint="name a program file"
        ) from error
