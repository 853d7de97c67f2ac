"""What of an artifact is believed: nothing, until it is for this very request and the change in it was judged here.

The job that made it ran the repository's code. Its proof is checked (`artifact.py`), its request, base and branch are
held against what is asked now, and the change is judged again: the commit is the one that *this* judging staged, and
its tree must be the artifact's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges.artifact import Artifact, Handover, read_artifact
from dev_agent.forges.forge import ComparisonStatus
from dev_agent.forges.issue_text import commit_task
from dev_agent.forges.publication import Publication, Stopped, refusal, refusal_of_run
from dev_agent.programs.rejudge import rejudge
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.repository.discovery import resolve_commit

if TYPE_CHECKING:
    from dev_agent.forges.request import Asked


def admitted(work: Publication, asked: Asked) -> RunReport:
    """Return the run of our own that verified the artifact's change. Raises Stopped; nothing is published yet."""
    return _judged(work, asked, _read(work, asked))


def _read(work: Publication, asked: Asked) -> Artifact:
    """The artifact of this very request, with a change in it. Raises Stopped."""
    if not work.artifact.is_dir():
        raise Stopped(
            refusal(work, asked, "no_artifact", "the job that proposes left nothing to publish",
                "look at the log of that job, mend what it says, then ask again")
        )  # fmt: skip
    try:
        artifact = read_artifact(work.artifact)
    except UsageFault as fault:
        raise Stopped(refusal(work, asked, "artifact", fault.message, fault.hint)) from fault
    misfit = _misfit(work, asked, artifact.handover)
    if misfit:
        hint = "start both jobs again, for the request as it stands"
        raise Stopped(refusal(work, asked, "other_request", f"the artifact is not for this: {misfit}", hint))
    report = artifact.report
    if report is None:
        told = artifact.handover
        raise Stopped(refusal(work, asked, "not_begun", told.failure or "the run did not begin", told.advice))
    if report.outcome is not Outcome.VERIFIED:
        raise Stopped(refusal_of_run(work, asked, report))
    return artifact


def _misfit(work: Publication, asked: Asked, given: Handover) -> str:
    """In what the artifact is not for this request, at this moment; empty if it is."""
    trigger, place = work.trigger, asked.place
    if given.repository.lower() != str(work.forge.repository).lower():
        return f"it is of the repository {given.repository}"
    if (given.issue, given.key) != (trigger.issue, trigger.key):
        return f"it is of the request {given.key} of issue {given.issue}"
    if given.digest != trigger.digest:
        return "what was asked then reads differently now"
    if given.branch != place.branch:
        return f"it goes onto the branch {given.branch}, and that is finished or taken"
    if not given.base:
        return ""
    if place.base is not None:
        return "" if given.base == place.base else f"the branch has moved on to {place.base[:12]}"
    default = work.forge.describe().default_branch
    stands = work.forge.compare(given.base, default).status
    if stands not in {ComparisonStatus.IDENTICAL, ComparisonStatus.AHEAD}:
        return f"its base {given.base[:12]} is not in the history of {default}"
    return ""


def _judged(work: Publication, asked: Asked, artifact: Artifact) -> RunReport:
    """A run of our own that verified the change, with the same tree as the artifact's. Raises Stopped."""
    base, proposed = artifact.handover.base, artifact.report
    if proposed is None:
        raise AssertionError("BUG: an artifact without a run has been read for publishing")
    repository = work.remote.repository
    if resolve_commit(repository, base) is None:
        # A start that is no branch's tip is in the history of one that is.
        started = asked.place.base is not None
        work.remote.fetch(asked.place.branch if started else work.forge.describe().default_branch)
    request = ApplyRequest(
        task=commit_task(work.trigger),
        patch=artifact.patch,
        dry_run=True,
        policy=work.policy,
        must_pass=work.must_pass,
        sandbox=work.sandbox,
    )
    report = rejudge(
        repository, request, base=base, environ=work.environ, reporter=work.reporter, cancel=work.cancel
    )
    if report.outcome is not Outcome.VERIFIED or not report.commit:
        raise Stopped(refusal_of_run(work, asked, report))
    if report.tree != proposed.tree:
        raise Stopped(
            refusal(work, asked, "other_tree", "the patch gives other files here than where it was proposed",
                "a commit hook that gives different results each time is one cause; start both jobs again")
        )  # fmt: skip
    return report
