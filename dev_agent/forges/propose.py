"""The first job of the issue bot: untrusted text and perhaps a model come in, a change that was judged goes out in a
folder.

It needs to read the host and never writes to it. What proposes and judges is a dry run of `apply` (or of `run`),
started by the command line with whatever proposer it was told; here is what comes before and after it.

Order: the request is believed or refused → the branch to go on from is brought here → (the dry run) → the artifact.
Killed anywhere: runs and objects in this repository, perhaps a local branch of the bot's own name; nothing on the
host.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.forges.artifact import Handover, write_artifact
from dev_agent.forges.issue_report import BotOutcome, BotReport, of_run
from dev_agent.forges.request import Asked, Refused
from dev_agent.programs.folders import find_run
from dev_agent.programs.recipe_task import read_task
from dev_agent.programs.report import Outcome
from dev_agent.repository.refs import read_ref, swap_ref

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.forges.remote import Remote
    from dev_agent.forges.trigger import Trigger
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository


def task_of(trigger: Trigger) -> str:
    """The task for `apply`: the bare sentence if a recipe understands that, else all that was said.

    A recipe takes a whole sentence or nothing, and an issue is seldom one.
    """
    sentence = trigger.sentence
    try:
        read_task(sentence)
    except UsageFault:
        return trigger.task or sentence
    return sentence


def branch_to_start_from(repository: Repository, remote: Remote, asked: Asked) -> str | None:
    """The local branch the dry run begins from; None for HEAD. It is the bot's own, and made to be at the base.

    Raises RepositoryFault if a local branch of that name is elsewhere: somebody's work may be on it. Order: fetch into
    a private ref → compare-and-swap of the local branch. Killed between the two nothing is visible.
    """
    base = asked.place.base
    if base is None:
        return None
    remote.fetch(asked.place.branch)
    ref = f"refs/heads/{asked.place.branch}"
    now = read_ref(repository, ref)
    if now == base:
        return asked.place.branch
    if now is not None and not _follows(repository, now, base):
        raise RepositoryFault(
            "branch-differs",
            f"the local branch {asked.place.branch} is at {now[:12]}, the bot's work goes on from {base[:12]}",
            hint=f"keep what you need of it, then: git branch -D {asked.place.branch}",
        )
    swapped = swap_ref(repository, ref, base, now, reason="dev-agent: go on with the bot's branch")
    if not swapped.ok:
        raise RepositoryFault(
            "branch-busy", f"the local branch {asked.place.branch} moved meanwhile", hint="start again"
        )
    return asked.place.branch


def hand_over(
    folder: Path,
    repository: Repository,
    forge_repository: str,
    asked: Asked,
    report: RunReport | None,
    *,
    failure: str = "",
    advice: str = "",
) -> BotReport:
    """Write the artifact for however the dry run ended, and say how it did. `failure` is told if there was no run."""
    trigger = asked.trigger
    made = Handover(
        repository=forge_repository,
        issue=trigger.issue,
        key=trigger.key,
        digest=trigger.digest,
        branch=asked.place.branch,
        base=report.base if report else "",
        run=report.run if report else "",
        failure=failure[:4_000],
        advice=advice[:1_000],
    )
    run = find_run(repository, report.run) if report else None
    write_artifact(folder, made, report=report, run=run)
    told = BotReport(
        outcome=BotOutcome.REJECTED, issue=trigger.issue, branch=asked.place.branch, artifact=str(folder)
    )
    if report is None:
        return replace(told, reason="not_begun", sentence=failure, advice=advice)
    outcome = {Outcome.VERIFIED: BotOutcome.PROPOSED, Outcome.NO_CHANGE: BotOutcome.NO_CHANGE}.get(
        report.outcome, BotOutcome.REJECTED
    )
    return replace(told, outcome=outcome, code=report.exit_code, **of_run(report))


def refused(found: Refused) -> BotReport:
    """The report of a request that is not followed."""
    return BotReport(
        outcome=BotOutcome.REJECTED,
        issue=found.trigger.issue,
        reason=found.distrust.doubt.value,
        sentence=found.distrust.sentence,
        advice=found.distrust.remedy,
    )


def _follows(repository: Repository, before: str, after: str) -> bool:
    return repository.git.run("merge-base", "--is-ancestor", before, after).ok
