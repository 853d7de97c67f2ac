"""`dev-agent worker`: judge for others, at a Dask scheduler."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.session import Session
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.extras import install_command
from dev_agent.sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.cluster.security import Tls

app = command_app()

Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The scheduler: tls://HOST:PORT or tcp://HOST:PORT.")
]
Slots = Annotated[int, typer.Option("--slots", min=1, max=64, help="How many gates it judges at once.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        metavar="DIR",
        help="What it keeps; one process has it. Default: dev-agent/worker in the user's cache folder.",
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="What verdicts call it. Default: the host's name.", show_default=False
    ),
]
TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", metavar="FILE", help="Whose certificates it accepts (PEM).")
]
TlsCert = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="FILE", help="Its own certificate (PEM).")
]
TlsKey = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="The key of that (PEM).")]
Environment = Annotated[
    list[Path] | None,
    typer.Option("--environment", metavar="DIR", help="A virtual environment it may judge in; repeatable."),
]
Build = Annotated[
    bool,
    typer.Option(
        "--build-environments", help="Build what it lacks: exact versions, wheels, from its own index."
    ),
]
Sources = Annotated[
    bool,
    typer.Option(
        "--allow-sources", help="With --build-environments: also what has no wheel. Runs its code unconfined."
    ),
]
Show = Annotated[
    list[Path] | None,
    typer.Option(
        "--show",
        metavar="DIR",
        help="A directory that judged programs may read if their settings ask for it; repeatable.",
    ),
]
CacheSize = Annotated[str, typer.Option("--cache-size", metavar="SIZE", help="How much it keeps.")]
LeastFree = Annotated[
    str, typer.Option("--least-free", metavar="SIZE", help="With less room on its disk it judges nothing.")
]
Listen = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="HOST[:PORT]",
        help="Where the scheduler and clients reach it. Default: the address that leads to the scheduler.",
        show_default=False,
    ),
]
Patience = Annotated[
    int,
    typer.Option(
        "--patience",
        metavar="SECONDS",
        min=0,
        max=86_400,
        help="How long the scheduler may be away; 0: end with it.",
    ),
]


@app.command()
def worker(  # noqa: PLR0913 - one parameter an option
    address: Address,
    *,
    slots: Slots = 1,
    folder: Folder = None,
    name: Name = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    environment: Environment = None,
    build_environments: Build = False,
    allow_sources: Sources = False,
    show: Show = None,
    cache_size: CacheSize = "20GB",
    least_free: LeastFree = "256MB",
    listen: Listen = None,
    patience: Patience = 600,
) -> int:
    """Judge changes for clients of a Dask scheduler, confined, until told to stop.

    Whoever may submit to that scheduler runs code as this user: use tls:// and certificates of your own beyond one
    machine. Without a working sandbox the worker does not start.
    """
    _require_extra()
    from dev_agent.cluster.address import parse_address  # noqa: PLC0415 - what follows is for this command only
    from dev_agent.cluster.building import Installer  # noqa: PLC0415
    from dev_agent.cluster.dask_serving import Serving, serve  # noqa: PLC0415
    from dev_agent.cluster.workshop import Workshop  # noqa: PLC0415
    from dev_agent.cluster.workshop_settings import WorkshopSettings  # noqa: PLC0415

    session = Session(directory=Path())
    where = parse_address(address)
    if not where.url:
        raise UsageFault(
            "a worker needs the address of a scheduler",
            hint="start one with: dask scheduler; then: dev-agent worker tcp://HOST:8786",
        )
    if allow_sources and not build_environments:
        raise UsageFault("--allow-sources is for --build-environments, which is missing")
    host, port = _listening(listen)
    place = (folder or _default_folder(session.environ.get("XDG_CACHE_HOME"))).absolute()
    called = name or _plain_name(socket.gethostname())
    tls = _tls((tls_ca, tls_cert, tls_key))
    workshop = Workshop(
        WorkshopSettings(
            name=called,
            folder=place,
            environ=session.environ,
            declared=_folders("--environment", environment or ()),
            installer=Installer.of(session.environ, sources=allow_sources) if build_environments else None,
            shown=_folders("--show", show or ()),
            cache_size=_size("--cache-size", cache_size),
            least_free=_size("--least-free", least_free),
        )
    )
    try:
        typer.echo(f"confined by {workshop.try_confinement()}; keeps {place}", err=True)
        if where.is_exposed:
            typer.echo(
                f"{where} is not encrypted: whoever reaches that scheduler runs code as this user. Use tls:// "
                "(docs/cluster.md)",
                err=True,
            )
        return serve(
            workshop,
            Serving(
                url=where.url,
                slots=slots,
                name=called,
                folder=place,
                tls=tls,
                host=host,
                port=port,
                patience_s=patience,
            ),
            lambda said: typer.echo(said, err=True),
        )
    finally:
        workshop.close()


def _require_extra() -> None:
    try:
        import distributed as _engine  # noqa: F401, PLC0415 - is it there at all?
    except ImportError as error:
        raise EnvironmentFault(
            "a worker needs the package distributed, which is not installed",
            hint=install_command("cluster"),
        ) from error


def _tls(files: Sequence[Path | None]) -> Tls | None:
    from dev_agent.cluster.security import Tls  # noqa: PLC0415 - as above

    given = [one for one in files if one is not None]
    if not given:
        return None
    if len(given) < len(files):
        raise UsageFault("--tls-ca, --tls-cert and --tls-key go together", hint="name all three files")
    for one in given:
        if not os.access(one, os.R_OK):
            raise UsageFault(f"{one} cannot be read", hint="name a file in PEM that this user may read")
    return Tls(ca=given[0].absolute(), cert=given[1].absolute(), key=given[2].absolute())


def _folders(option: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    for one in folders:
        if not one.is_dir():
            raise UsageFault(f"{option} {one}: there is no such directory")
    return tuple(one.resolve() if option == "--show" else one.absolute() for one in folders)


def _size(option: str, said: str) -> int:
    try:
        return parse_size(said)
    except ValueError as error:
        raise UsageFault(f"{option}: {error}") from None


def _listening(said: str | None) -> tuple[str | None, int]:
    if said is None:
        return None, 0
    host, colon, port = said.rpartition(":") if not said.endswith("]") else (said, "", "")
    if not colon:
        return said, 0
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536 or not host:
        raise UsageFault(f"--listen {said!r} is no host and port", hint="for example: --listen 10.0.0.7:9000")
    return host, int(port)


def _default_folder(cache: str | None) -> Path:
    return Path(cache or "~/.cache").expanduser() / "dev-agent" / "worker"


def _plain_name(name: str) -> str:
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in name)[:64] or "worker"
