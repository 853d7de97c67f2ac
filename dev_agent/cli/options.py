"""The options that several commands share, each said once. Every one has its environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path,
    typer.Option(
        "-C",
        metavar="DIR",
        envvar="DEV_AGENT_DIR",
        help="The repository to work on; default: the one around you.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", envvar="DEV_AGENT_JSON", help="One JSON object on stdout, progress as JSON lines on stderr."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", envvar="DEV_AGENT_QUIET", help="Show no progress.")]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="The id of a run, an unambiguous beginning of it, or `last`.")
]
SandboxChoice = Annotated[
    str,
    typer.Option(
        "--sandbox",
        metavar="auto|bubblewrap|landlock|off",
        envvar="DEV_AGENT_SANDBOX",
        help="How gates are confined. `off` runs the project's code with your rights.",
    ),
]
PolicyChoice = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME|FILE",
        envvar="DEV_AGENT_POLICY",
        help="A shipped policy (default, strict, ci) or a file.",
    ),
]
MustPass = Annotated[
    list[str] | None,
    typer.Option(
        "--must-pass",
        metavar="TEST",
        envvar="DEV_AGENT_MUST_PASS",
        help="A test that fails before and has to pass after; repeatable, or `all`.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="tls://HOST:PORT|tcp://HOST:PORT|local:N",
        envvar="DEV_AGENT_CLUSTER",
        help="Let the workers of a Dask cluster judge; `local:N` starts N workers here for this command.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="DEV_AGENT_DRY_RUN", help="Judge everything, land nothing.")
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch", metavar="NAME", envvar="DEV_AGENT_BRANCH", help="Land on NAME, not on the current branch."
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        envvar="DEV_AGENT_KEY",
        help="Execute this request once, however often it is made: later callers get that run.",
    ),
]
HERE = Path()
