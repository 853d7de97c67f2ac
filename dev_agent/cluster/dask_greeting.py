"""Meeting a Dask scheduler: with which security, whether it is one, of which version, and what a failure to meet means.

Whatever listens at an address, or nothing, is known for what it is within seconds; the engine alone would wait for ever
for a port that says nothing. What comes before a peer has shown its certificate is not believed: with `tls://` nothing
comes before that.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from distributed import Security
from distributed.comm.core import connect
from distributed.core import send_recv
from distributed.versions import get_versions

from dev_agent.errors import EnvironmentFault, UsageFault

if TYPE_CHECKING:
    from dev_agent.cluster.security import Tls

OTHER_END = "start it with: dask scheduler; workers with: dev-agent worker ADDRESS (docs/cluster.md)"
_CHATTY = ("distributed", "tornado", "asyncio")


def security_of(url: str, tls: Tls | None = None) -> Security:
    """How the connection is secured: by the files given, or by what Dask's own settings say. Raises UsageFault."""
    if tls is not None:
        return Security(
            require_encryption=True,
            tls_ca_file=str(tls.ca),
            tls_client_cert=str(tls.cert),
            tls_client_key=str(tls.key),
        )
    try:
        known = Security()
        if url.startswith("tls://"):
            if not (known.tls_ca_file and known.tls_client_cert):
                raise UsageFault(
                    f"{url} wants certificates, and Dask's settings name none",
                    hint="set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and "
                    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY to files in PEM (docs/cluster.md)",
                )
            known.get_connection_args("client")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageFault(
            f"the certificates that Dask's settings name cannot be used: {error}",
            hint="look at distributed.comm.tls in Dask's settings, or the variables DASK_DISTRIBUTED__COMM__TLS__…",
        ) from None
    return known


def require_scheduler(url: str, security: Security, timeout_s: float) -> None:
    """Raises EnvironmentFault unless a scheduler of our version answers within about `timeout_s`."""
    try:
        told, versions = asyncio.run(asyncio.wait_for(_greeted(url, security, timeout_s), 2 * timeout_s))
        kind, there = str(told["type"]), versions["packages"]
        found = {name: str(there[name]) for name in ("distributed", "dask")}
    except EnvironmentFault:
        raise
    except Exception as error:
        raise unreachable(url, error) from error
    if kind != "Scheduler":
        raise EnvironmentFault(
            f"at {url} there is a Dask {kind[:40]!r}, and no scheduler",
            hint=f"name the scheduler's address; {OTHER_END}",
        )
    here = get_versions()["packages"]
    differ = [f"{name} {here[name]} here, {one} there" for name, one in found.items() if one != here[name]]
    if differ:
        raise EnvironmentFault(
            f"the scheduler at {url} is of another version: {'; '.join(differ)}",
            hint="install the same version of distributed on both sides",
        )


async def _greeted(url: str, security: Security, timeout_s: float) -> tuple[Any, Any]:
    comm = await connect(url, timeout=timeout_s, **security.get_connection_args("client"))
    try:
        told = await send_recv(comm, op="identity", reply=True)
        return told, await send_recv(comm, op="versions", reply=True)
    finally:
        comm.abort()


def unreachable(url: str, error: Exception) -> EnvironmentFault:
    """What a failed connection means, as far as it says."""
    causes = list(_causes(error))
    refusals = [
        one for one in causes if isinstance(one, ssl.SSLError) or "SSL" in str(one) or "TLS" in str(one)
    ]
    if refusals:
        return EnvironmentFault(
            f"the scheduler at {url} and this machine do not accept each other's certificates: "
            f"{str(refusals[-1])[:300]}",
            hint="both have to be signed by the authority in distributed.comm.tls.ca-file (docs/cluster.md)",
        )
    if any(isinstance(one, (TimeoutError, ConnectionError)) for one in causes) or "Timed out" in str(error):
        return EnvironmentFault(f"no scheduler answers at {url}", hint=f"{OTHER_END}{_encrypted(url)}")
    return EnvironmentFault(
        f"what listens at {url} is no Dask scheduler, or wants another security: {words(error)}",
        hint=OTHER_END,
    )


def _encrypted(url: str) -> str:
    """A scheduler that wants TLS takes plain words for noise and hangs up, as if nobody were there."""
    return (
        f"; if it wants certificates: tls://{url.removeprefix('tcp://')}" if url.startswith("tcp://") else ""
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what led to it, the first cause last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def words(error: Exception) -> str:
    """What an exception of the engine says, in one bounded line; maybe a worker's own words."""
    said = str(error).strip().partition("\n")[0][:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def be_quiet() -> None:
    """The engine logs to stderr, where progress is shown; what matters of it is said as setbacks."""
    for name in _CHATTY:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
