"""`premerge` on the pusher's side: what is about to be pushed is judged before it leaves, as a server would judge it.

A branch that exists on the remote is judged against where the remote has it; a new one as a merge into the branch the
remote's HEAD names. Deletions, tags and whatever else is no branch pass. Runs are kept like all runs of the repository.
It is a convenience for the pusher: `git push --no-verify` goes around it, so a server guards itself (`pre_receive`).

pre-commit starts its hooks without the lines git gives, and says the same in variables (`PRE_COMMIT_FROM_REF` …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.guard import Guard, read_guard
from dev_agent.programs.pre_receive import Answer, PushReport, answer_of
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.ref_updates import Kind, RefUpdate, guards, read_pre_push
from dev_agent.repository.discovery import resolve_commit

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_EVERY_BRANCH = ("refs/heads/*",)
_FROM, _TO, _BRANCH = "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF", "PRE_COMMIT_REMOTE_BRANCH"


def updates_of(lines: bytes, environ: Mapping[str, str]) -> tuple[RefUpdate, ...]:
    """What is to be pushed: from pre-commit's variables if it started us, else from git's lines. Raises UsageFault."""
    if environ.get(_FROM) and environ.get(_TO):
        ref = environ.get(_BRANCH, "") or "refs/heads/HEAD"
        ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        return (RefUpdate(ref=ref, old=environ[_FROM], new=environ[_TO]),)
    return read_pre_push(lines)


def pre_push(
    repository: Repository,
    updates: Sequence[RefUpdate],
    *,
    remote: str,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> PushReport:
    """Judge what is to be pushed to `remote`. Raises UsageFault if the remote's commit is not here, and as judging."""
    guard = read_guard(repository)
    touched = [one for one in updates if guards(guard.guarded or _EVERY_BRANCH, one.ref)]
    answers: list[Answer] = []
    notes: list[str] = []
    for update in touched:
        request = _request(repository, update, guard, remote)
        if isinstance(request, str):
            notes.append(f"{update.name}: {request}")
            continue
        reporter.noted(f"judging {update.name} against {request.base}")
        report = judge_merge(repository, request, environ=environ, reporter=reporter, cancel=cancel)
        answers.append(answer_of(update, report))
    return PushReport(answers=tuple(answers), notes=tuple(notes))


def _request(repository: Repository, update: RefUpdate, guard: Guard, remote: str) -> MergeRequest | str:
    """What is to be judged, or why nothing is."""
    if update.kind is Kind.DELETE:
        return "is deleted there; nothing is judged"
    base = update.old
    if base is not None and resolve_commit(repository, base) is None:
        raise UsageFault(
            f"the remote has {update.name} at {base[:12]}, which is not here",
            hint=f"fetch it first: git fetch {remote or 'origin'}",
        )
    if base is None:
        trunk = f"refs/remotes/{remote}/HEAD" if remote else ""
        if not trunk or resolve_commit(repository, trunk) is None:
            return f"is new there, and {trunk or 'no branch'} is not known here; nothing is judged"
        base = trunk
    return MergeRequest(
        base=base,
        head=str(update.new),
        as_is=update.kind is Kind.MOVE,
        policy=guard.policy,
        sandbox=guard.sandbox,
        python=guard.python,
    )
