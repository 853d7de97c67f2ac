"""Judging a patch on a commit that is named, as `apply --dry-run` would if that commit were HEAD.

For whoever was given a change together with a verdict and believes neither: the patch goes through parsing, policy,
hooks and gates here, on the base it is said to be for, and a run of our own says what it is worth. Nothing lands; the
staged commit lives under the run's private ref. Settings, policy and gates are the base's.

Order as for `apply`: recover leftovers → read the patch and resolve what it rests on (errors up to here leave
nothing) → `launch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from dev_agent.edits.parse import parse
from dev_agent.errors import UsageFault
from dev_agent.programs.builtin import apply_program
from dev_agent.programs.launch import launch
from dev_agent.programs.proposers import PatchFile
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.setting import Base, prepare_on
from dev_agent.repository.discovery import resolve_commit, tree_of
from dev_agent.repository.identity import user_identity
from dev_agent.repository.landing.target import Target, TargetKind

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_NOWHERE = Target(kind=TargetKind.DETACHED, ref="")
"""What is only judged has no branch to go to."""


def rejudge(
    repository: Repository,
    request: ApplyRequest,
    *,
    base: str,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> RunReport:
    """Judge the request's patch on commit `base` (a full id), and land nothing.

    Raises as `apply` does, and UsageFault if the commit is not here or the request is no dry run.
    """
    if not request.dry_run:
        raise UsageFault("what is judged again is not landed", hint="ask for a dry run")
    if resolve_commit(repository, base) != base:
        raise UsageFault(
            f"the commit {base[:40]} is not in this repository",
            hint="fetch it; a workflow's checkout needs fetch-depth: 0",
        )
    recover_first(repository, reporter)
    parse(request.patch)
    user_identity(repository)
    start = Base(target=_NOWHERE, commit=base, tree=tree_of(repository, base))
    setting = prepare_on(repository, request, start, environ=environ, cancel=cancel)
    with closing(setting.trees):
        return launch(
            repository,
            apply_program(),
            request,
            PatchFile(content=request.patch),
            setting,
            reporter=reporter,
            cancel=cancel,
        )
