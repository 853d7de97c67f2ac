"""The bot around `premerge`: what an event asks to be judged, and telling the host how it was judged.

    subject_of      base, head and pull request of a `pull_request` or `merge_group` event
    write_files     SARIF, JUnit and step summary, each where the caller wants it
    tell            check run and the one comment, after looking whether the head still stands
    publish         the same for an artifact of another job, after everything that can be was done again

Order of `tell`: look at the pull request → check run → comment. Killed in between: the check stands, or is in progress
and satisfies nobody; telling it again finds what is there already (`checks`, `sticky`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges import sticky
from dev_agent.forges.checks import publish_check
from dev_agent.forges.events import MergeGroupEvent, PullRequestEvent, read_event
from dev_agent.forges.forge import ComparisonStatus, superseded_by
from dev_agent.forges.merge_artifact import read_merge_artifact
from dev_agent.forges.reports.check import check_of
from dev_agent.forges.reports.junit import junit_of
from dev_agent.forges.reports.lines import HeadLines, follow
from dev_agent.forges.reports.markdown import summary_of
from dev_agent.forges.reports.remarks import remarks_of
from dev_agent.forges.reports.sarif import sarif_of
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.shapes import Shape
from dev_agent.programs.recheck import doubt_about
from dev_agent.programs.report import Outcome
from dev_agent.repository.discovery import resolve_commit
from dev_agent.repository.objects import GitTree
from dev_agent.runtime.files import write_atomically
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.forge import Forge
    from dev_agent.programs.merge_report import MergeReport
    from dev_agent.repository.discovery import Repository

_COMMENT = "premerge"
_PULL = re.compile(r"refs/pull/([1-9][0-9]{0,9})/head\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_ON_BASE = frozenset({ComparisonStatus.IDENTICAL, ComparisonStatus.AHEAD})


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What an event is about: two names git knows here, the head's ref on the host, and where to report."""

    base: str
    head: str
    head_ref: str
    number: int | None
    repository: RepositoryName


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Where reports go, if anywhere. A summary is added to its file, as the steps of a job share one."""

    sarif: Path | None = None
    junit: Path | None = None
    summary: Path | None = None


def subject_of(repository: Repository, environ: Mapping[str, str]) -> Subject:
    """What the event of this job asks to be judged. Raises UsageFault for an event that asks for nothing."""
    event = read_event(environ)
    if isinstance(event, PullRequestEvent):
        pull = event.pull_request
        return Subject(
            base=_base(repository, pull.base.ref, pull.base.sha),
            head=pull.head.sha,
            head_ref=f"refs/pull/{pull.number}/head",
            number=pull.number,
            repository=event.repository,
        )
    if isinstance(event, MergeGroupEvent):
        return Subject(
            base=event.base.sha, head=event.head.sha, head_ref="", number=None, repository=event.repository
        )
    raise UsageFault(
        "this event is about no merge",
        hint="run this on pull_request or merge_group, or name both ends: --base main --head topic",
    )


def _base(repository: Repository, branch: str, sha: str) -> str:
    """The branch as this checkout knows it, which may be newer than the event; else the event's commit."""
    here = f"refs/remotes/origin/{branch}"
    return here if resolve_commit(repository, here) else sha


def job_url(environ: Mapping[str, str]) -> str:
    """The page of this job's run, "" outside of one."""
    run = environ.get("GITHUB_RUN_ID", "")
    server, name = (environ.get(key, "") for key in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"))
    return f"{server}/{RepositoryName.parse(name)}/actions/runs/{run}" if run.isdecimal() and server else ""


def write_files(report: MergeReport, files: Files) -> None:
    """Write what is wanted. Each file appears whole or not at all; a summary is appended. Raises OSError."""
    if files.sarif is not None:
        write_atomically(files.sarif, sarif_of(report), durable=False)
    if files.junit is not None:
        write_atomically(files.junit, junit_of(report), durable=False)
    if files.summary is not None:
        with files.summary.open("a", encoding="utf-8") as stream:
            stream.write(summary_of(report))


def tell(
    report: MergeReport, *, forge: Forge, number: int | None, lines: HeadLines, details_url: str = ""
) -> MergeReport:
    """Let the host show the report on the head; superseded if the pull request has moved on. Raises ForgeFault."""
    now = superseded_by(forge, number, report.head) if number is not None else None
    if now and report.run.outcome is not Outcome.COMMITTED:
        report = replace(report, superseded=now)
    publish_check(forge, report.head, check_of(report, lines, details_url=details_url))
    if number is not None and not report.superseded:
        # What is said of an old head must not stand in the place of what is said of the new one.
        sticky.say(forge, number, _COMMENT, summary_of(report), viewer=forge.viewer())
    return report


def publish(
    repository: Repository,
    folder: Path,
    *,
    forge: Forge,
    head: str,
    policy: str | None = None,
    details_url: str = "",
) -> MergeReport:
    """Report what another, untrusted job judged about commit `head`, which the caller knows from the host.

    Raises UsageFault for an artifact that does not hold, or is about another head or pull request, and ForgeFault.
    """
    report = read_merge_artifact(folder)
    number = _number(report, head)
    pull = forge.pull_request(number)
    if forge.compare(report.base, pull.base.ref).status not in _ON_BASE:
        raise UsageFault(
            f"the artifact was judged on {report.base[:12]}, which is not on the base branch {pull.base.ref!r}",
            hint="run the judging job again",
        )
    if report.passed:
        doubt = doubt_about(repository, report, policy=policy)
        if doubt:
            run = replace(
                report.run, outcome=Outcome.SUSPENDED, reason="not_believed", explanation=doubt, advice=""
            )
            report = replace(report, run=run)
    return tell(
        report, forge=forge, number=number, lines=head_lines(repository, report), details_url=details_url
    )


def judged_head(environ: Mapping[str, str]) -> str:
    """The commit another workflow's run was about, as the host says in a `workflow_run` event. Raises UsageFault."""
    name, path = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_EVENT_PATH", "")
    if name != "workflow_run" or not path:
        raise UsageFault(
            "whose report this is has to come from the host",
            hint="run this on workflow_run, or name the commit you know yourself with --head",
        )
    try:
        run = Shape.of(json.loads(Path(path).read_bytes()), name).child("workflow_run")
        event, head = run.text("event"), run.text("head_sha")
    except (OSError, ValueError, RecursionError) as error:
        raise UsageFault(
            f"the payload of the event cannot be understood: {error}"[:400],
            hint="it has to be what GitHub delivered, unchanged",
        ) from error
    if event != "pull_request" or not _COMMIT.match(head):
        raise UsageFault(
            f"the run that finished was started by {event!r}, not by a pull request"[:300],
            hint="name only the workflow that judges pull requests under on.workflow_run.workflows",
        )
    return head


def _number(report: MergeReport, head: str) -> int:
    found = _PULL.match(report.merging.head_ref)
    if report.head != head or found is None:
        raise UsageFault(
            f"the artifact is about {report.head[:12]}, and not about the pull request head {head[:12]}",
            hint="give the artifact of the very run that this workflow was started for",
        )
    return int(found[1])


def head_lines(repository: Repository, report: MergeReport) -> HeadLines:
    """Where lines of the merge are in the head, for the files the report speaks of; none for objects not here."""
    paths = {remark.path for remark in remarks_of(report) if remark.path}
    if not paths or report.tree is None or resolve_commit(repository, report.head) is None:
        return HeadLines(same=frozenset())
    merged, head = GitTree(repository, report.tree), GitTree(repository, report.head)
    pairs = {path: (merged.entry(path), head.entry(path)) for path in paths}
    there = {path: pair for path, pair in pairs.items() if all(pair)}
    same = frozenset(path for path, (ours, theirs) in there.items() if ours == theirs)
    moved = {path: follow(merged.read(path), head.read(path)) for path in there if path not in same}
    return HeadLines(same=same, moved=moved)
