"""`dev-agent console`: look at runs in a browser."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

import dev_agent
from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, Directory
from dev_agent.cli.session import Session
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.extras import install_command
from dev_agent.surfaces.looking import VARIABLE, told

app = command_app()

Port = Annotated[
    int,
    typer.Option(
        "--port",
        min=0,
        max=65535,
        envvar="DEV_AGENT_CONSOLE_PORT",
        help="Where to listen on the loopback; 0: any.",
    ),
]
Approvals = Annotated[
    bool, typer.Option("--allow-approvals", help="Runs that wait for a person can be answered on their page.")
]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")]

_LOOPBACK = "127.0.0.1"


@app.command()
def console(
    *,
    port: Port = 8501,
    allow_approvals: Approvals = False,
    browser: Open = True,
    directory: Directory = HERE,
) -> int:
    """Show the runs of this repository in a browser: paths, gates, diffs, proofs, health, policy, the laboratory.

    Pages read; with --allow-approvals a run that waits for a person can be answered too. It listens on the loopback
    only. End it with Ctrl-C.
    """
    session = Session(directory=directory)
    root = session.repository.work_tree
    if importlib.util.find_spec("streamlit") is None:
        raise EnvironmentFault(
            "the console needs the package streamlit, which is not installed",
            hint=install_command("console"),
        )
    chosen = _free(port)
    package = Path(dev_agent.__file__).resolve().parent
    paths = [str(package.parent), *filter(None, [session.environ.get("PYTHONPATH")])]
    environ = {
        **session.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        VARIABLE: told(root, approvals=allow_approvals),
    }
    settings = {
        "server.address": _LOOPBACK,
        "server.port": chosen,
        "server.headless": str(not browser).lower(),
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "localhost",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
    }
    argv = [sys.executable, "-m", "streamlit", "run", str(package / "console" / "app.py")]
    argv += [f"--{name}={value}" for name, value in settings.items()]
    # This process becomes the server: signals, exit code and terminal are its own.
    os.execve(argv[0], argv, environ)  # noqa: S606 - argv is ours, no shell


def _free(port: int) -> int:
    """The port, known to be free a moment ago. Raises UsageFault."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            raise UsageFault(
                f"port {port} cannot be listened on: {error.strerror}",
                hint="is another console running? choose another: --port 0",
            ) from error
        return int(probe.getsockname()[1])
