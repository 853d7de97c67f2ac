"""Where the cluster is, in the caller's words: `tcp://HOST:PORT`, `tls://HOST:PORT` or `local:N`. Pure.

A command that started a cluster for its children says `shared:FOLDER` to them (`shared`); people have no use for it.

What the engine understands beyond that is not offered: a cluster inside of this process would put judging where the
repository's keys are, and the other transports are untried.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

MOST_WORKERS = 64
"""Of a cluster on this machine."""
DEFAULT_PORT = 8786
"""Where a Dask scheduler listens if nobody says otherwise."""

_SHARED = "shared:"
_LOCAL = re.compile(r"local:([1-9][0-9]?)\Z")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?\Z")
_FORMS = f"tls://HOST:PORT, tcp://HOST:PORT, or local:N for N workers on this machine (1 to {MOST_WORKERS})"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterAddress:
    """A scheduler's address, how many workers to start here, or the folder in which somebody shares a cluster."""

    url: str = ""
    workers: int = 0
    folder: Path | None = None

    @property
    def is_local(self) -> bool:
        """True if the cluster is to be started here, and ends with the command."""
        return self.workers > 0

    @property
    def is_exposed(self) -> bool:
        """True if neither encryption nor the machine's own boundary keeps others out."""
        return self.url.startswith("tcp://") and not _is_loopback(urlsplit(self.url).hostname or "")

    def __str__(self) -> str:
        return self.url or (f"{_SHARED}{self.folder}" if self.folder else f"local:{self.workers}")


def parse_address(text: str) -> ClusterAddress:
    """What `--cluster` says. Raises UsageFault naming what would do."""
    local = _LOCAL.match(text)
    if local and int(local[1]) <= MOST_WORKERS:
        return ClusterAddress(workers=int(local[1]))
    if text.startswith(_SHARED):
        folder = Path(text.removeprefix(_SHARED))
        if not folder.is_absolute() or "\0" in text:
            raise _fault(text, "names no folder")
        return ClusterAddress(folder=folder)
    if text.startswith("local"):
        raise _fault(text, "is no number of workers")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise _fault(text, "is no address")
    scheme, there, _ = text.partition("://")
    if not there or scheme not in {"tcp", "tls"}:
        raise _fault(text, "is of no kind that can be used")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _fault(text, "names no host and port") from None
    if parts.username is not None or parts.password is not None:
        # Not repeated: what was meant as a password would stand in logs.
        raise UsageFault(
            "--cluster holds a user or a password, and there is no such thing",
            hint="the scheduler knows its clients by their certificates: tls://HOST:PORT (docs/cluster.md)",
        )
    if parts.path.strip("/") or parts.query or parts.fragment or port == 0:
        raise _fault(text, "is more than a host and a port")
    shown = _shown_host(host)
    if not shown:
        raise _fault(text, "names no host")
    return ClusterAddress(url=f"{scheme}://{shown}:{port or DEFAULT_PORT}")


def _shown_host(host: str) -> str:
    """The host as an address writes it, "" if it is none."""
    try:
        return f"[{host}]" if ip_address(host).version == 6 else host
    except ValueError:
        return host if _HOST.match(host) else ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _fault(text: str, what: str) -> UsageFault:
    shown = os.fsencode(text)[:200].decode("utf-8", "backslashreplace")
    return UsageFault(f"--cluster {shown!r} {what}", hint=f"it can be: {_FORMS}")
