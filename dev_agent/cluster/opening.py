"""From the caller's word to somebody who judges: this machine, a cluster that is there, or one started for the command.

    with opened("local:2", repository, environ, sandbox="auto") as judge: …

Nothing of the engine is imported before a cluster is asked for. What the block does ends before the connection is let
go; a cluster that was started here ends with the block, whatever ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dev_agent.cluster.address import ClusterAddress, parse_address
from dev_agent.cluster.shared import join
from dev_agent.errors import UsageFault
from dev_agent.extras import install_command
from dev_agent.gates.cache import Cache
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cluster.dask_link import Link
    from dev_agent.cluster.security import Tls
    from dev_agent.gates.judge import Judge
    from dev_agent.repository.discovery import Repository


@contextmanager
def opened(
    text: str, repository: Repository, environ: Mapping[str, str], *, sandbox: str = "auto"
) -> Iterator[Judge]:
    """The judge that `--cluster` names, for one repository.

    Raises UsageFault for words that mean no cluster or do not go with one, EnvironmentFault for one that cannot be
    reached or started.
    """
    address = require_usable(text, sandbox=sandbox)
    with ExitStack() as stack:
        from dev_agent.cluster.dask_judge import DaskJudge  # noqa: PLC0415 - only where there is a cluster

        there = stack.enter_context(_there(address, repository, environ))
        link = stack.enter_context(_linked(there))
        judge = DaskJudge(
            link,
            repository,
            Cache(repository.state_dir / "cache"),
            expected=there.workers,
            exposed=address.is_exposed,
        )
        stack.callback(judge.close)
        yield judge


def require_usable(text: str, *, sandbox: str = "auto") -> ClusterAddress:
    """The address, if this machine can ask a cluster at all. Raises UsageFault; asks nobody."""
    address = parse_address(text)
    if sandbox == "off":
        raise UsageFault(
            "--sandbox off and --cluster do not go together: workers confine whatever they run",
            hint="leave one of them out",
        )
    if find_spec("distributed") is None:
        raise UsageFault(
            "--cluster needs Dask distributed, which is not installed", hint=install_command("cluster")
        )
    return address


def _nothing() -> str:
    """Why workers of others are not there is not known here."""
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _There:
    """A cluster that is there. `workers` are there or coming, 0 if nobody says; `tls` None: by Dask's settings."""

    url: str
    tls: Tls | None = None
    workers: int = 0
    explain: Callable[[], str] = _nothing


@contextmanager
def _there(address: ClusterAddress, repository: Repository, environ: Mapping[str, str]) -> Iterator[_There]:
    """The cluster that an address names: found, joined, or started for as long as the block."""
    if address.folder is not None:
        joined = join(address.folder)
        yield _There(url=joined.url, tls=joined.tls, workers=joined.workers, explain=joined.trouble)
        return
    if not address.is_local:
        yield _There(url=address.url)
        return
    from dev_agent.cluster.dask_local import local_cluster  # noqa: PLC0415 - the engine is heavy

    with local_cluster(repository, address.workers, environ) as own:
        yield _There(url=own.url, tls=own.tls, workers=address.workers, explain=own.trouble)


@contextmanager
def _linked(there: _There) -> Iterator[Link]:
    from dev_agent.cluster.dask_greeting import security_of  # noqa: PLC0415 - the engine is heavy
    from dev_agent.cluster.dask_link import Link  # noqa: PLC0415 - as above

    link = Link.open(there.url, security_of(there.url, there.tls), explain=there.explain)
    try:
        yield link
    finally:
        link.close()
