"""What was shipped, brought to where a job needs it."""

from __future__ import annotations

import errno
from pathlib import Path

from dev_agent.cluster.job import Job
from dev_agent.cluster.mirror import BadBundle, Mirror
from dev_agent.cluster.store import Store


class Supply:
    """The store of a worker, as jobs use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bring_objects(self, job: Job, mirror: Mirror) -> tuple[str, ...]:
        """Bring both trees into the mirror; return the digests of the bundles this needs first. Raises BadBundle."""
        if mirror.has(job.tree) and mirror.has(job.base_tree):
            return ()
        if not mirror.has(job.base_tree) and job.remote and job.base_commit:
            found = mirror.fetch(job.remote, job.base_commit)
            if found != job.base_tree:
                raise BadBundle(f"the commit {job.base_commit[:12]} has another tree than the job says")
        parcels = [one.sha256 for one in job.objects]
        if mirror.has(job.base_tree):
            mirror.carry(job.base_tree)
            parcels = parcels[-1:] if job.tree != job.base_tree else []
        lacking = self._store.lacking(parcels)
        if lacking:
            return lacking
        for sha256 in parcels:
            mirror.take(self.found(sha256))
        if not (mirror.has(job.tree) and mirror.has(job.base_tree)):
            raise BadBundle("the bundles of the job do not hold its trees")
        return ()

    def found(self, sha256: str) -> Path:
        """Return where a shipped file is. Raises OSError if it is damaged."""
        path = self._store.find(sha256)
        if path is None:
            raise OSError(errno.EIO, f"the shipped file {sha256[:12]} was damaged on this worker's disk")
        return path
