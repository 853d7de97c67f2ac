"""look_again, push: before a merge is published, see that its head still stands; publish it on a remote's branch.

Order of `push`: evidence (a missing one is our bug and moves nothing) → the intent, durable in the trace → the trace
is anchored in a ref → the remote swaps its branch, or refuses. Killed before the swap: nothing happened, and the state
is entered again on resume. Killed after it: the state finds on resume that the branch holds the commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.anchoring import anchor_now
from dev_agent.programs.evidence import missing_evidence
from dev_agent.programs.staged import required
from dev_agent.repository.push import Pushed, PushMoved, push_commit
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.merging import Merging


def _look_again(context: ApplyContext, _view: View) -> Result:
    merging = _merging(context)
    now = merging.superseded_by(context.repository)
    if now:
        text = f"{merging.head_name} is at {now[:12]} now; what was judged is {merging.head[:12]}"
        hint = "judge the new head"
        return Result("superseded", {"reason": "superseded", "explanation": text, "hint": hint})
    return Result("remote" if merging.branch else "here", {"reason": "", "explanation": ""})


def _push(context: ApplyContext, view: View) -> Result:
    staged, branch = required(view.facts), _merging(context).branch
    lack = missing_evidence(view.facts, staged, context.policy.digest)
    if lack or branch is None or staged.base is None:
        raise AssertionError(f"BUG: nothing may be pushed: {lack or 'there is no branch to push to'}")
    intent = {"commit": staged.commit, "tree": staged.tree, "base": staged.base, "remote": branch.remote}
    view.record("pushing", {**intent, "ref": branch.ref}, durable=True)
    anchor_now(context.repository, context.journal, "landing")
    done = push_commit(context.repository, to=branch, commit=staged.commit, expected=staged.base)
    if isinstance(done, PushMoved):
        return Result("moved", {"tip": done.tip or "", "reason": "", "explanation": ""})
    if isinstance(done, Pushed):
        data: dict[str, Any] = {"ref": branch.ref, "remote": branch.remote, "commit": staged.commit}
        return Result("pushed", {**data, "tree": staged.tree, "reason": "", "explanation": ""})
    text = f"{branch.remote} refused the push to {branch.ref}: {done.text}"
    hint = "see what the other side asks for (branch protection, permissions of the token), then start again"
    return Result("refused", {"reason": "push_refused", "explanation": text, "hint": hint})


def _merging(context: ApplyContext) -> Merging:
    if context.merging is None:
        raise AssertionError("BUG: a merge was to be published in a run of another program")
    return context.merging


_WORDS = {"reason": FactType.STR, "explanation": FactType.STR, "hint": FactType.STR}

LOOK_AGAIN = Declared(
    name="look_again",
    outcomes=frozenset({"here", "remote", "superseded"}),
    facts=_WORDS,
    run=_look_again,
)
PUSH = Declared(
    name="push",
    outcomes=frozenset({"pushed", "moved", "refused"}),
    facts={
        **_WORDS,
        "ref": FactType.STR,
        "remote": FactType.STR,
        "commit": FactType.STR,
        "tree": FactType.STR,
        "tip": FactType.STR,
    },
    run=_push,
)
