"""A check run with any number of annotations, told once however often it is told.

The host takes fifty annotations a request and *adds* them, so a check is told in several: begun without a conclusion,
annotated in batches, concluded by the last request. Order: look for the check of this very run of ours
(`external_id`) → create it in progress with the first batch → add the batches → conclude. Killed anywhere before the
end the check stays in progress, which satisfies nobody's required check; told again, a check of the same id that has
concluded is left alone, and one that has not is begun anew, so that no annotation stands twice: the newest check of a
name is the one that counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.forges.check_runs import MAX_ANNOTATIONS, CheckStatus, newest
from dev_agent.forges.errors import ForgeUnreachable

if TYPE_CHECKING:
    from dev_agent.forges.check_runs import CheckReport, CheckRun
    from dev_agent.forges.forge import Forge


def publish_check(forge: Forge, sha: str, report: CheckReport) -> CheckRun:
    """Let the host say `report` about commit `sha`. Raises ValueError without an `external_id`, and ForgeFault."""
    if not report.external_id:
        raise ValueError("a check without an external id cannot be found again")
    known = _told(forge, sha, report)
    if known is not None:
        return known
    batches = [
        report.annotations[start : start + MAX_ANNOTATIONS]
        for start in range(0, len(report.annotations), MAX_ANNOTATIONS)
    ] or [()]
    if len(batches) == 1:
        return _created(forge, sha, report)
    begun = replace(report, status=CheckStatus.IN_PROGRESS, conclusion=None, annotations=batches[0])
    run = _created(forge, sha, begun)
    for batch in batches[1:-1]:
        forge.update_check_run(run.id, replace(begun, annotations=batch))
    return forge.update_check_run(run.id, replace(report, annotations=batches[-1]))


def _created(forge: Forge, sha: str, report: CheckReport) -> CheckRun:
    """A new check. If the answer was lost, one that concluded at once is looked for; another is begun again."""
    try:
        return forge.create_check_run(sha, report)
    except ForgeUnreachable:
        return _told(forge, sha, report) or forge.create_check_run(sha, report)


def _told(forge: Forge, sha: str, report: CheckReport) -> CheckRun | None:
    known = newest(forge.check_runs(sha, name=report.name), external_id=report.external_id)
    told = known is not None and known.status is CheckStatus.COMPLETED
    return known if told else None
