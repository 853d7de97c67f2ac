"""Opening a pull request once, on a host that allows one of a branch and whose answers may be lost.

Killed before the request: there is none. Killed after it, or its answer lost: there is one, and looking for the branch
finds it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.forges.errors import ForgeRejected, ForgeUnreachable

if TYPE_CHECKING:
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.threads import NewPullRequest, PullRequest


def opened(forge: Forge, new: NewPullRequest) -> PullRequest:
    """Open it, unless somebody has: then theirs. Raises ForgeFault."""
    try:
        return forge.create_pull_request(new)
    except (ForgeUnreachable, ForgeRejected) as fault:
        found = forge.pull_requests(head=new.head)
        if found:
            return found[0]
        if new.draft and isinstance(fault, ForgeRejected) and "draft" in fault.message.lower():
            # Private repositories of some plans have no drafts; a person merges the other kind too.
            return opened(forge, replace(new, draft=False))
        if isinstance(fault, ForgeUnreachable):
            return forge.create_pull_request(new)
        raise
