"""What to do next about a run that stands or ended so. Pure."""

from __future__ import annotations

from dev_agent.programs.reasons import Reason
from dev_agent.programs.report import Outcome
from dev_agent.programs.story import Story

_CHANGES = "commit or put away the changes in the way"
_IN_THE_WAY = {
    "assume-unchanged": "clear the mark (git update-index --no-assume-unchanged)",
    "branch-checked-out-elsewhere": "switch the other work tree to another branch",
    "branch-checked-out-twice": "switch the other work tree to another branch",
    "branch_busy": "wait until the branch rests",
    "disk-full": "free some space",
    "filter-failed": "mend the filter git names",
    "head-switched": "switch back to the branch the change is for",
    "hook-veto": "satisfy the hook or change it",
    "index-locked": "wait for the git command that holds the index, or remove a lock nobody holds",
    "landing-busy": "wait for the other landing",
    "missing-objects": "fetch what the clone lacks",
    "no-write-permission": "make the files writable",
    "operation-in-progress": "finish or abort what is in progress",
    "ref-update-failed": "mend what git says about the ref",
    "replaced-objects": "take the replacement away (git replace -d) and check the commit out",
    "sparse-overlap": "widen the sparse checkout",
    "unmerged-index": "resolve the conflicts in the index",
}
"""What has to happen before a kept change can land; for all other codes it is the user's own changes."""


def advice_on(story: Story, outcome: Outcome, reason: Reason) -> str:
    """Return one line for whoever started it; nothing if there is nothing to do."""
    run = story.run
    if outcome is Outcome.SUSPENDED:
        return (
            f"look at it with: dev-agent show {run} — then: dev-agent approve {run} | dev-agent reject {run}"
        )
    if outcome is Outcome.KEPT:
        return f"{_IN_THE_WAY.get(reason.code, _CHANGES)}, then: dev-agent resume {run}"
    if outcome is Outcome.INTERRUPTED and story.state == "land":
        # A signal or a death can come between the branch's move and the event that tells of it.
        return f"it may have landed already; settle that with: dev-agent resume {run}"
    if outcome is Outcome.INTERRUPTED and not story.request:
        return f"give its command again; forget this run with: dev-agent prune {run} --yes"
    if outcome is Outcome.INTERRUPTED:
        return f"nothing of yours changed; go on with: dev-agent resume {run}"
    if reason.hint:
        return reason.hint
    if outcome is Outcome.REJECTED:
        return f"see what was proposed and why not: dev-agent show {run}"
    if outcome is Outcome.FAILED and story.path and story.path[-1].state == "land":
        return f"put in order what was begun with: dev-agent recover — details: dev-agent show {run}"
    if outcome is Outcome.FAILED:
        return f"nothing of yours changed; details: dev-agent show {run}"
    return ""
