"""Who judges for the children of a campaign, and how much of what they learn is kept for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.sizes import parse_size
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cli.session import Session
    from dev_agent.forges.campaigning.hands import ClusterNow


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Where workers here keep what they learn from campaign to campaign, and how many bytes of it may stay."""

    state: Path
    limit: int


def read_cache_size(said: str) -> int:
    """Bytes. Raises UsageFault for a size nobody understands."""
    try:
        return parse_size(said)
    except ValueError as error:
        raise UsageFault(f"--cache-size: {error}", hint="for example: --cache-size 2GB") from None


@contextmanager
def judged_for_all(
    cluster: str | None, kept: Kept, session: Session, *, sandbox: str
) -> Iterator[ClusterNow]:
    """What `--cluster` is for each child: the same word, or that of one cluster here for all of them.

    That one is started when the first child begins and ends with the block. Then what workers here learned is brought
    below its limit, in this campaign or in one before, whoever judged this one and however the block ended; killed
    before, the next campaign here does it. Raises UsageFault for words that no child could use.
    """
    learned = kept.state / "cluster"
    try:
        with _judging(cluster, kept.state, session, sandbox=sandbox) as judged_by:
            yield judged_by
    finally:
        if learned.is_dir():
            from dev_agent.cluster.collecting import keep_workers_within  # noqa: PLC0415 - most campaigns keep nothing

            keep_workers_within(learned, kept.limit)


@contextmanager
def _judging(cluster: str | None, state: Path, session: Session, *, sandbox: str) -> Iterator[ClusterNow]:
    if cluster is None:
        yield lambda: None
        return
    from dev_agent.cluster.opening import require_usable  # noqa: PLC0415 - most campaigns ask no cluster

    address = require_usable(cluster, sandbox=sandbox)
    if not address.is_local:
        yield lambda: cluster
        return
    from dev_agent.cluster.dask_sharing import Sharing  # noqa: PLC0415 - the engine is heavy

    with Sharing(state, workers=address.workers, environ=session.environ) as sharing:
        yield sharing.word
