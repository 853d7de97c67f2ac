"""Starting a run of `premerge`: the merge of a head into its base is judged, and landed if that was asked for.

    report = judge_merge(repository, base="main", head="topic", environ=…, reporter=…, cancel=…)
    report.passed, report.commit, report.tree          the tested commit itself, and its tree

Policy, settings, gates, confinement and program are the base's or dev-agent's own. The head is never checked out
where anything of it could be read as configuration: what is judged is a tree, computed from two commits. It works
wherever there are objects, also in a bare repository, where judged code believes to lie in an empty folder of ours.

Order: recover leftovers → both names become commits → where it would land → what it rests on (errors up to here leave
nothing) → `launch`. Afterwards the head's name is looked up again: one that moved makes the report `superseded`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.gates.judge import LOCAL as HERE
from dev_agent.programs.builtin import PREMERGE, builtin_program
from dev_agent.programs.launch import launch
from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.merging import Merging
from dev_agent.programs.paths import recordable
from dev_agent.programs.proposers import Merge
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.report import Outcome
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import Base, Setting, prepare_on
from dev_agent.repository.discovery import resolve_commit, tree_of
from dev_agent.repository.identity import user_identity
from dev_agent.repository.landing.outcome import Refusal
from dev_agent.repository.landing.target import (
    Target,
    TargetKind,
    find_target,
    require_no_operation,
    require_sole_checkout,
)
from dev_agent.repository.tracking import LOCAL, full_name, remote_branch
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_NOWHERE = Target(kind=TargetKind.DETACHED, ref="")


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeRequest:
    """The caller's words: two names of commits, what is to become of the merge, and how it is judged.

    `land` publishes the tested commit: `base` then is a local branch or a remote's (`origin/main`). `own_commit` makes
    a merge commit even where the head is built on the base, as landing always does. `as_is` judges the head's own tree
    against the base instead of a merge. `head_ref` names the head's ref on the remote of the base, to be looked at
    again before landing. `fresh` asks the gates anew, whatever they remember of this very tree: a red that is only
    remembered says nothing about a test that fails now and then. The others mean what they mean to `apply`.
    """

    base: str
    head: str
    land: bool = False
    own_commit: bool = False
    as_is: bool = False
    head_ref: str = ""
    policy: str | None = None
    must_pass: tuple[str, ...] = ()
    sandbox: str = "auto"
    profile: str | None = None
    python: str | None = None
    fresh: bool = False


def judge_merge(
    repository: Repository,
    request: MergeRequest | None = None,
    *,
    base: str = "",
    head: str = "",
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    judge: Judge = HERE,
) -> MergeReport:
    """Judge one merge to its end. Say it as a request, or as `base` and `head` alone.

    `judge` answers what the gates are asked.

    Raises UsageFault for a name that is no commit, a base that cannot be landed on, and what `check` raises, before a
    run was made; after that every end is a report.
    """
    asked = request or MergeRequest(base=base, head=head)
    recover_first(repository, reporter)
    tip = _commit(repository, asked.base, "base")
    merging, target = _merging(repository, asked)
    if merging.own_commit:
        user_identity(repository)
    applied = ApplyRequest(
        task=merging.title,
        patch=b"",
        dry_run=not asked.land,
        policy=asked.policy,
        must_pass=asked.must_pass,
        sandbox=asked.sandbox,
        profile=asked.profile,
        python=asked.python,
    )
    start = Base(target=target, commit=tip, tree=tree_of(repository, tip))
    setting = prepare_on(repository, applied, start, environ=environ, cancel=cancel).judged_by(judge)
    with closing(setting.trees), _memory(setting, fresh=asked.fresh) as judging:
        run = launch(
            repository,
            builtin_program(PREMERGE),
            applied,
            Merge(merging=merging),
            judging,
            reporter=reporter,
            cancel=cancel,
        )
    report = MergeReport(run=run, merging=merging, base=run.base or tip)
    if run.reason == "superseded":
        return replace(report, superseded=run.explanation)
    if run.outcome is Outcome.COMMITTED:
        return report  # a head that is named by the branch it landed on has moved by that
    now = resolve_commit(repository, asked.head)
    return report if now in (None, merging.head) else replace(report, superseded=f"the head is at {now} now")


@contextmanager
def _memory(setting: Setting, *, fresh: bool) -> Iterator[Setting]:
    """The setting, with a memory of its own that is forgotten afterwards if it is to judge afresh."""
    if not fresh:
        yield setting
        return
    with TemporaryDirectory(prefix="dev-agent-fresh-", ignore_cleanup_errors=True) as folder:
        yield replace(setting, gates=setting.gates.apart(Path(folder)))


def _merging(repository: Repository, asked: MergeRequest) -> tuple[Merging, Target]:
    """What is merged, and the branch here that it is for (none, if it lands nowhere or elsewhere)."""
    merging = Merging(
        base_name=recordable(asked.base),
        head_name=recordable(asked.head),
        head=_commit(repository, asked.head, "head"),
        own_commit=(asked.own_commit or asked.land) and not asked.as_is,
        as_is=asked.as_is,
        head_ref=recordable(asked.head_ref),
    )
    if not asked.land:
        return merging, _NOWHERE
    full = full_name(repository, asked.base)
    if full.startswith(LOCAL):
        return replace(merging, land=True), _target(repository, full.removeprefix(LOCAL))
    remote, branch = remote_branch(repository, full)
    if not remote:
        raise UsageFault(
            f"{asked.base!r} is no branch, so nothing can land on it",
            hint="name a branch with --base (main, or origin/main to push to it), or leave --land out",
        )
    ref = LOCAL + branch
    return replace(merging, land=True, remote=remote, ref=ref), _NOWHERE


def _target(repository: Repository, branch: str) -> Target:
    target = find_target(repository, branch)
    try:
        require_no_operation(repository.git_dir)
        require_sole_checkout(repository, target)
    except Refusal as refusal:
        code = getattr(refusal.outcome, "code", "blocked")
        raise RepositoryFault(str(code), str(refusal), hint="nothing was changed") from None
    return target


def _commit(repository: Repository, name: str, role: str) -> str:
    commit = None if not name or "\0" in name else resolve_commit(repository, name)
    if commit is None:
        raise UsageFault(
            f"the {role} {name!r} is no commit here",
            hint="fetch it first (git fetch origin main refs/pull/7/head:refs/pull/7/head); "
            "a shallow clone has to be deepened: git fetch --unshallow",
        )
    return commit
