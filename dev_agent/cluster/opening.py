"""From the caller's word to somebody who judges: this machine, a cluster that is there, or one started for the command.

    with opened("local:2", repository, environ, sandbox="auto") as judge: …

Nothing of the engine is imported before a cluster is asked for. What the block does ends before the connection is let
go; a cluster that was started here ends with the block, whatever ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dev_agent.cluster.address import ClusterAddress, parse_address
from dev_agent.errors import UsageFault
from dev_agent.extras import install_command
from dev_agent.gates.cache import Cache

if TYPE_CHECKING:
    from dev_agent.cluster.dask_link import Link
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
    with ExitStack() as stack:
        from dev_agent.cluster.dask_judge import DaskJudge  # noqa: PLC0415 - only where there is a cluster

        link = stack.enter_context(_linked(address, repository, environ))
        judge = DaskJudge(
            link,
            repository,
            Cache(repository.state_dir / "cache"),
            expected=address.workers,
            exposed=address.is_exposed,
        )
        stack.callback(judge.close)
        yield judge


@contextmanager
def _linked(address: ClusterAddress, repository: Repository, environ: Mapping[str, str]) -> Iterator[Link]:
    from dev_agent.cluster.dask_greeting import security_of  # noqa: PLC0415 - the engine is heavy
    from dev_agent.cluster.dask_link import Link  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        url, tls, explain = address.url, None, _nothing
        if address.is_local:
            from dev_agent.cluster.dask_local import local_cluster  # noqa: PLC0415 - as above

            started = stack.enter_context(local_cluster(repository, address.workers, environ))
            url, tls, explain = started.url, started.tls, started.trouble
        link = Link.open(url, security_of(url, tls), explain=explain)
        stack.callback(link.close)
        yield link


def _nothing() -> str:
    """Why workers of others are not there is not known here."""
    return ""
