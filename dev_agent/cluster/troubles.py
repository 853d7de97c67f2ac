"""What went wrong on a worker, as a trouble: which kind, in whose words. Pure.

`job` is the digest of the job it is about.
"""

from __future__ import annotations

import errno
import os

from dev_agent.cluster.answer import Trouble, TroubleKind
from dev_agent.cluster.environments import EnvironmentDiffers
from dev_agent.cluster.mirror import BadBundle, RemoteRefused
from dev_agent.errors import DevAgentError, EnvironmentFault, GitFailed
from dev_agent.sandbox.sandbox import SandboxUnavailable

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
"""How programs say that a disk is full."""


def cancelled(job: str) -> Trouble:
    """Nobody waits any more."""
    return Trouble(job=job, kind=TroubleKind.CANCELLED, message="cancelled before it was judged")


def no_space(job: str, said: str) -> Trouble:
    """The disk is full, in the words of whoever noticed."""
    return Trouble(
        job=job,
        kind=TroubleKind.NO_SPACE,
        message=f"the worker's disk is full: {said[:500]}",
        hint="give the worker's folder more room, or the worker a smaller --cache-size",
    )


def of_the_system(job: str, error: OSError) -> Trouble:
    """The machine refused something."""
    if error.errno in _NO_SPACE:
        return no_space(job, str(error))
    return Trouble(
        job=job,
        kind=TroubleKind.BROKEN,
        message=f"the worker's machine refused: {error}",
        hint="look at the worker's folder and its rights",
    )


def of_the_fault(job: str, fault: DevAgentError) -> Trouble:
    """A fault of ours with its words, by its family."""
    if isinstance(fault, GitFailed) and any(full in fault.stderr for full in FULL):
        return no_space(job, fault.message)
    kinds = (
        (SandboxUnavailable, TroubleKind.UNCONFINED),
        (BadBundle, TroubleKind.BUNDLE),
        (RemoteRefused, TroubleKind.REMOTE),
        (EnvironmentDiffers, TroubleKind.ENVIRONMENT),
        (GitFailed, TroubleKind.BROKEN),
        (EnvironmentFault, TroubleKind.ENVIRONMENT),
    )
    kind = next((kind for family, kind in kinds if isinstance(fault, family)), TroubleKind.BROKEN)
    return Trouble(job=job, kind=kind, message=fault.message, hint=fault.hint)
