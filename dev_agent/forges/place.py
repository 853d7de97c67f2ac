"""Where the bot's work on an issue goes: the branch, the pull request there may be, and the commit to start from.

    no branch, no pull request       a new branch, from the default branch
    an open pull request             the same one goes on, from its head ...
    ... of this very request         ... or is done again: from the commit that request began from
    a branch of this very request    an interrupted publication is done again, from the same commit
    a closed or merged one           that is finished; the next free name is taken

What the last publication was about is kept in our comment on the issue (`sticky`), written before the branch moves.
If somebody pushed to the branch meanwhile, its tip is not the commit of that comment, and it goes on from there:
their work is never replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges.threads import OpenState
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.threads import PullRequest

_NAMES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """`tip` is the branch's commit now; `base` the commit to start from, None for the tip of the default branch."""

    branch: str
    tip: str | None
    base: str | None
    pull: PullRequest | None


def branch_names(issue: int) -> tuple[str, ...]:
    """The branches of an issue, in the order they are taken. Nothing that anybody wrote is in them."""
    first = f"dev-agent/issue-{issue}"
    return (first, *(f"{first}-{number}" for number in range(2, _NAMES + 1)))


def kept_state(*, key: str, branch: str, base: str, commit: str) -> dict[str, str]:
    """What our comment keeps of a publication, for `find_place`."""
    return {"key": key, "branch": branch, "base": base, "commit": commit}


def find_place(forge: Forge, issue: int, key: str, state: Mapping[str, str]) -> Place:
    """The place for request `key` of the issue, as the host stands now; `state` is what our comment keeps.

    Raises UsageFault if all names are taken, and ForgeFault.
    """
    for branch in branch_names(issue):
        ref = forge.ref(f"refs/heads/{branch}")
        pulls = forge.pull_requests(head=branch, state=None)
        pull = next((one for one in pulls if one.state is OpenState.OPEN), None)
        same = bool(ref) and (state.get("key"), state.get("branch")) == (key, branch)
        again = same and ref is not None and state.get("commit") == ref.sha
        if ref is None and not pulls:
            return Place(branch=branch, tip=None, base=None, pull=None)
        if ref is not None and (pull is not None or (again and not pulls)):
            base = state["base"] if again and "base" in state else ref.sha
            return Place(branch=branch, tip=ref.sha, base=base, pull=pull)
    raise UsageFault(
        f"all {_NAMES} branches of issue #{issue} are taken",
        hint=f"delete those that are finished: git push origin --delete dev-agent/issue-{issue}",
    )
