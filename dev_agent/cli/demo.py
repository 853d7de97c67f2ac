"""`dev-agent demo`: the real commands on a small project, with their promises checked."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.demonstration.demonstration import Demonstration
from dev_agent.cli.demonstration.material import demo_material, set_up
from dev_agent.cli.options import HERE
from dev_agent.cli.output.terminal import standard_terminals
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault

app = command_app()

Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep", metavar="DIR", envvar="DEV_AGENT_KEEP", help="Work in the new folder DIR and leave it."
    ),
]


@app.command()
def demo(*, keep: Keep = None) -> int:
    """Show everything on a small project of its own: changes land or are refused, the proof is checked."""
    session = Session(directory=HERE)
    terminal, _ = standard_terminals(session.environ)
    with stoppable(session), tempfile.TemporaryDirectory(prefix="dev-agent-demo-") as temporary:
        folder = Path(temporary)
        if keep is not None:
            _require_new(keep)
            folder = keep.absolute()
        stage = set_up(demo_material(), folder, session.environ, session.cancel)
        return Demonstration(
            stage=stage, terminal=terminal, environ=session.environ, cancel=session.cancel
        ).run()


def _require_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageFault(
            f"{folder} exists and is not an empty folder", hint="name a new folder with --keep DIR"
        )
