"""`dev-agent mcp`: other agents propose changes through us, over stdio or HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.output.page import count
from dev_agent.cli.session import Session
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.extras import install_command
from dev_agent.repository.discovery import discover

if TYPE_CHECKING:
    from dev_agent.mcp.desk import Desk
    from dev_agent.mcp.traffic import Traffic

app = command_app()

Repositories = Annotated[
    list[Path] | None,
    typer.Option(
        "-C",
        "--repository",
        metavar="DIR",
        help="A repository clients may work on; repeatable. Default: the one around you.",
        show_default=False,
    ),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Judge, list and explain; change nothing.")]
Approvals = Annotated[
    bool, typer.Option("--allow-approvals", help="Clients may answer for a person where policy asks for one.")
]
Programs = Annotated[
    list[str] | None,
    typer.Option(
        "--program",
        metavar="NAME=FILE,ACTIONS",
        help="A program of your own that clients may run, with your rights; repeatable.",
    ),
]
Http = Annotated[
    str | None,
    typer.Option(
        "--http",
        metavar="[HOST:]PORT",
        help="Serve HTTP instead of stdio; the host is the loopback unless named.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        envvar="DEV_AGENT_MCP_TOKEN_FILE",
        help="The clients of --http: one NAME TOKEN a line.",
    ),
]
Origins = Annotated[
    list[str] | None,
    typer.Option(
        "--origin", metavar="URL", help="A web page's origin that may ask too; repeatable. Default: none."
    ),
]
Shared = Annotated[
    bool, typer.Option("--shared", help="Clients of --http see each other's runs, and all others.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many commands run at once.")]


@app.command()
def mcp(  # noqa: PLR0913 - one parameter an option
    *,
    repository: Repositories = None,
    read_only: ReadOnly = False,
    allow_approvals: Approvals = False,
    program: Programs = None,
    http: Http = None,
    token_file: TokenFile = None,
    origin: Origins = None,
    shared: Shared = False,
    jobs: Jobs = 4,
) -> int:
    """Serve the Model Context Protocol: any agent edits these repositories through verified transactions only.

    Over stdio by default, for an agent that starts this command. With --http every client needs a token: from
    --token-file, or one client from the environment variable DEV_AGENT_MCP_TOKEN.
    """
    _require_extra()
    # The protocol's libraries are slow to import: only now.
    from dev_agent.mcp.access import Access, places_of, programs_of  # noqa: PLC0415
    from dev_agent.mcp.clients import LOCAL  # noqa: PLC0415
    from dev_agent.mcp.desk import desk_for  # noqa: PLC0415
    from dev_agent.mcp.server import server_of  # noqa: PLC0415
    from dev_agent.mcp.traffic import Traffic  # noqa: PLC0415
    from dev_agent.programs.hosting.places import default_runs  # noqa: PLC0415
    from dev_agent.surfaces.command import Commands  # noqa: PLC0415

    session = Session(directory=Path())
    known = [discover(one, session.environ) for one in repository or [Path()]]
    access = Access(
        places=places_of(known),
        programs=programs_of(program or ()),
        read_only=read_only,
        approvals=allow_approvals,
        shared=shared,
    )
    environ = {name: value for name, value in session.environ.items() if name != _TOKEN}
    desk = desk_for(known, access, Commands(environ=environ), default_runs(session.environ).parent / "mcp")
    traffic = Traffic(jobs=jobs)
    if http is not None:
        return _over_http(session, desk, traffic, http, token_file, origin or ())
    if token_file is not None or origin or shared:
        raise UsageFault(
            "tokens, origins and --shared are for --http, which is missing", hint="add --http PORT"
        )
    server_of(desk, who=lambda _context: LOCAL, traffic=traffic).run("stdio")
    return 0


_TOKEN = "DEV_AGENT_MCP_TOKEN"  # noqa: S105 - the name of a variable


def _over_http(
    session: Session, desk: Desk, traffic: Traffic, where: str, file: Path | None, origins: Sequence[str]
) -> int:
    from dev_agent.mcp.clients import clients_from, read_tokens  # noqa: PLC0415
    from dev_agent.mcp.http import address_of, client_of, guarded, require_guarded, serve  # noqa: PLC0415
    from dev_agent.mcp.server import server_of  # noqa: PLC0415

    address = address_of(where)
    tokens = read_tokens(file) if file is not None else {}
    single = session.environ.get(_TOKEN, "")
    clients = clients_from({**tokens, **({"default": single} if single else {})})
    require_guarded(address, clients)
    server = server_of(desk, who=client_of(clients), traffic=traffic)
    serve(
        guarded(server, clients, address, origins=frozenset(origins)),
        address,
        ready=lambda url: typer.echo(f"serving {url} to {count(len(clients.digests), 'client')}", err=True),
    )
    return 0


def _require_extra() -> None:
    try:
        import mcp as _sdk  # noqa: F401, PLC0415 - is it there at all?
    except ImportError as error:
        raise EnvironmentFault(
            "the MCP server needs the package mcp, which is not installed",
            hint=install_command("mcp"),
        ) from error
