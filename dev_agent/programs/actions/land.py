"""land: look at the evidence once more, then publish the staged commit as one transaction.

Order: evidence (a missing one is our bug and moves nothing) → the intent, in the trace → one flush puts it and all
the landing needs on the disk → the landing's own journal begins → the trace is anchored in a ref → the files and the
branch move. Killed before the branch
moved: recovery takes everything back, and the state is entered again on resume. Killed after it: recovery goes
forward, and this state finds on resume that the branch holds the commit, so it records the landing once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.anchoring import anchor_now
from dev_agent.programs.evidence import missing_evidence
from dev_agent.programs.judging_base import subject_of
from dev_agent.programs.landed import already_landed
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.staged import StagedCommit, required
from dev_agent.repository import kept
from dev_agent.repository.landing.land import land
from dev_agent.repository.landing.outcome import Blocked, Code, Landed, Moved
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext

_NEVER = frozenset(
    {Code.CASE_CLASH, Code.FORBIDDEN_PATH, Code.SUBMODULE_CHANGE, Code.UNSUPPORTED_FILE_SYSTEM}
)
"""Refusals that no change of the user's working tree can lift."""


def _land(context: ApplyContext, view: View) -> Result:
    staged = required(view.facts)
    lack = missing_evidence(
        view.facts,
        staged,
        context.policy.digest,
        context.undoing,
        judged_from=subject_of(context, staged).base_tree,
    )
    if lack:
        raise AssertionError(f"BUG: nothing may land: {lack}")
    if already_landed(context.repository, context.target, staged.commit):
        return _landed(context, staged, ref=context.target.ref, tx="", warnings=())
    # On the disk with the landing's first flush, before anything of the user's is touched.
    view.record("landing", {"commit": staged.commit, "tree": staged.tree, "base": staged.base or ""})
    done = land(
        context.repository,
        base=staged.base,
        commit=staged.commit,
        verified_tree=staged.tree,
        target=context.target,
        run=context.run,
        cancel=context.cancel,
        flush_trace=context.journal.flush,
        on_begin=lambda: anchor_now(context.repository, context.journal, "landing"),
    )
    if isinstance(done, Landed):
        return _landed(context, staged, ref=done.ref, tx=done.tx, warnings=done.warnings)
    if isinstance(done, Moved):
        return Result("moved", {"tip": done.tip or "", "reason": "", "explanation": ""})
    return _blocked(context, staged, done)


def _landed(
    context: ApplyContext, staged: StagedCommit, *, ref: str, tx: str, warnings: tuple[str, ...]
) -> Result:
    kept.release(context.repository, context.run)
    data: dict[str, Any] = {
        "ref": ref,
        "commit": staged.commit,
        "tree": staged.tree,
        "tx": tx,
        "warnings": list(warnings),
        "reason": "",
        "explanation": "",
    }
    return Result("landed", data)


def _blocked(context: ApplyContext, staged: StagedCommit, blocked: Blocked) -> Result:
    data = {
        "reason": blocked.code.value,
        "explanation": blocked.text,
        "paths": [to_recorded(path) for path in blocked.paths],
        "kept": [to_recorded(folder) for folder in blocked.kept],
    }
    if blocked.code in _NEVER:
        return Result("refused", data)
    kept.keep(context.repository, context.run, staged.commit)
    return Result("blocked", data)


LAND = Declared(
    name="land",
    outcomes=frozenset({"landed", "moved", "blocked", "refused"}),
    facts={
        "ref": FactType.STR,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "tx": FactType.STR,
        "tip": FactType.STR,
        "warnings": FactType.LIST,
        "paths": FactType.JSON,
        "kept": FactType.JSON,
        "reason": FactType.STR,
        "explanation": FactType.STR,
    },
    run=_land,
)
