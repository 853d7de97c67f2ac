"""Who judges for a command: this machine, unless the caller names a cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from dev_agent.gates.judge import LOCAL

if TYPE_CHECKING:
    from dev_agent.cli.session import Session
    from dev_agent.gates.judge import Judge


def judge_of(session: Session, cluster: str | None, sandbox: str = "auto") -> AbstractContextManager[Judge]:
    """What `--cluster` says, for as long as the block. Raises, on entering, UsageFault and EnvironmentFault."""
    if not cluster:
        return nullcontext(LOCAL)
    from dev_agent.cluster.opening import opened  # noqa: PLC0415 - most commands ask no cluster

    return opened(cluster, session.repository, session.environ, sandbox=sandbox)
