"""`premerge` as the `pre-receive` hook of a repository that is pushed to: only what was judged good gets in.

A push is taken or refused as a whole: git moves all of its refs if the hook ends well, and none if it does not. A ref
is judged against its own old tip, whose policy and settings count; so two pushes at once are judged side by side, and
git's own compare-and-swap of the ref lets only the first of them in.

What each update of a guarded ref needs (`guard` has the settings):

    moved forward      the new commit is judged as it is, against the old tip
    moved elsewhere    refused, or judged the same way
    made               judged as a merge into HEAD's branch, or let in, or refused
    deleted            refused, or let in

Order: the settings → the updates → the private repository → what a rule refuses (nothing is judged for a push that
cannot get in) → one judgement a ref. Killed at any line: the hook did not end well, so git refuses the push, drops the
quarantine and moves no ref; a scratch folder stays until the next push removes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.guard import SECTION, Guard, read_guard
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.ref_updates import Kind, RefUpdate, guards
from dev_agent.programs.report import Outcome
from dev_agent.repository.discovery import read_head
from dev_agent.repository.judging_copy import judging_copy
from dev_agent.repository.merge import contains
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.merge_report import MergeReport
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_MOST_LINKS = 10
_NOBODY_TO_ASK = (
    "policy asks for a person, and nobody can be asked here; let the policy answer by itself, or let somebody who may "
    "write on the server take the commit in"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is said to one update. `reason` and `remedy` are ours; `report` is there if it was judged."""

    update: RefUpdate
    accepted: bool
    reason: str
    remedy: str = ""
    report: MergeReport | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "ref": self.update.ref,
            "old": self.update.old,
            "new": self.update.new,
            "accepted": self.accepted,
            "reason": self.reason,
            "remedy": self.remedy,
            "report": self.report.to_json() if self.report else None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class PushReport:
    """The answers to all guarded updates of a push, none if it touched nothing that is guarded; `notes` are ours."""

    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 lets the push in. The worst of the judgements' codes, or 1 where a rule refused."""
        codes = [one.report.exit_code if one.report else 1 for one in self.answers if not one.accepted]
        return max(codes) or 1 if codes else 0

    def to_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "accepted": not self.exit_code,
            "updates": [one.to_json() for one in self.answers],
            "notes": list(self.notes),
        }


def answer_of(update: RefUpdate, report: MergeReport) -> Answer:
    """What a judgement says to an update. Advice that names the run is left out: here it is gone with the answer."""
    run = report.run
    if report.passed:
        return Answer(update=update, accepted=True, reason="judged good", report=report)
    advice = "" if run.run in run.advice else run.advice
    remedy = _NOBODY_TO_ASK if run.outcome is Outcome.SUSPENDED else advice
    reason = run.explanation or run.outcome.value
    return Answer(update=update, accepted=False, reason=reason, remedy=remedy, report=report)


def pre_receive(
    repository: Repository,
    updates: Sequence[RefUpdate],
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> PushReport:
    """Judge a push. Raises UsageFault for settings that mean nothing, EnvironmentFault where nothing can be judged."""
    guard = read_guard(repository)
    patterns = guard.guarded or tuple(one for one in (read_head(repository).ref,) if one)
    touched = [one for one in updates if guards(patterns, _real_ref(repository, one.ref))]
    if not touched:
        return PushReport(answers=())
    cache = Path(guard.cache) if guard.cache else None
    with judging_copy(repository, environ, cache=cache) as copy:
        trunk = read_head(repository).commit
        ruled = [_by_rule(copy, one, guard, trunk) for one in touched]
        if any(one is not None and not one.accepted for one in ruled):
            return PushReport(answers=tuple(one for one in ruled if one is not None))

        def judge(update: RefUpdate) -> Answer:
            request = _request(update, guard, trunk)
            reporter.noted(
                f"judging {update.name}: {(update.old or 'new')[:12]} -> {(update.new or '')[:12]}"
            )
            return _judged(copy, update, request, environ, reporter, cancel)

        return PushReport(answers=_all(touched, ruled, judge))


def _all(
    touched: Sequence[RefUpdate], ruled: Sequence[Answer | None], judge: Callable[[RefUpdate], Answer]
) -> tuple[Answer, ...]:
    return tuple(said or judge(update) for update, said in zip(touched, ruled, strict=True))


def _real_ref(repository: Repository, ref: str) -> str:
    """The ref that would really move: a symbolic one must not be a way around the guard of another."""
    for _ in range(_MOST_LINKS):
        done = repository.git.run("symbolic-ref", "--quiet", ref)
        if not done.ok:
            return ref
        ref = done.stdout.decode("utf-8", "surrogateescape").strip()
    return ref


def _by_rule(copy: Repository, update: RefUpdate, guard: Guard, trunk: str | None) -> Answer | None:
    """What the settings alone say; None if the update is to be judged."""
    if update.kind is Kind.DELETE:
        return _ruled(update, "delete", "deleting it", "allow", allowed=guard.delete == "allow")
    if update.kind is Kind.CREATE:
        if guard.create == "judge" and trunk is not None:
            return None
        if guard.create == "judge":
            text = "there is no branch yet that a first one could be judged against"
            remedy = f"for the first push: git config {SECTION}.create allow, and back afterwards"
            return Answer(update=update, accepted=False, reason=text, remedy=remedy)
        return _ruled(update, "create", "making it", "judge", allowed=guard.create == "allow")
    if guard.force == "judge" or contains(copy, str(update.new), str(update.old)):
        return None
    return _ruled(
        update, "force", "moving it to a commit that is not built on its tip", "judge", allowed=False
    )


def _ruled(update: RefUpdate, key: str, what: str, opens: str, *, allowed: bool) -> Answer:
    if allowed:
        return Answer(update=update, accepted=True, reason=f"{what} is allowed here")
    return Answer(
        update=update,
        accepted=False,
        reason=f"{what} is not allowed here",
        remedy=f"whoever keeps the server can allow it: git config {SECTION}.{key} {opens}",
    )


def _request(update: RefUpdate, guard: Guard, trunk: str | None) -> MergeRequest:
    return MergeRequest(
        base=update.old or str(trunk),
        head=str(update.new),
        as_is=update.kind is Kind.MOVE,
        policy=guard.policy,
        sandbox=guard.sandbox,
        python=guard.python,
    )


def _judged(
    copy: Repository,
    update: RefUpdate,
    request: MergeRequest,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> Answer:
    try:
        report = judge_merge(copy, request, environ=environ, reporter=reporter, cancel=cancel)
    except EnvironmentFault as fault:
        hint = f"on the server: git config {SECTION}.python /path/to/the/project's/bin/python"
        raise EnvironmentFault(
            f"{fault.message} ({fault.hint})" if fault.hint else fault.message, hint=hint
        ) from fault
    return answer_of(update, report)
