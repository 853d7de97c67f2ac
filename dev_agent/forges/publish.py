"""The second job of the issue bot: a change from the first one becomes a draft pull request, or a comment says why not.

It has the token that writes, and therefore no model, and runs nothing of the repository outside the sandbox. Of the
artifact it believes nothing: proof, patch, base and request are checked, and then the change is judged again
(`admission`). What is pushed is the commit that *this* judging staged.

The steps, each of which can be done again, and what a death after it leaves:

    1. weigh           is it still asked, by somebody who may                  nothing
    2. read, judge     proof, binding, the whole judging                       a run and objects in this repository
    3. weigh again     the text may have changed while judging took its time   the same
    4. the comment     says which commit goes onto which branch                a comment that says so and what to do
    5. push            the remote's transaction, with a lease on the tip       a branch; the comment names its commit
    6. pull request    found, or opened as a draft                             a pull request at the verified commit
    7. look            branch and pull request are at that commit              the same
    8. the comment     says that it is done                                    done

Started again after 4 or 5 it goes on from the commit the request began from (`place`) and replaces what it had pushed
itself, under a lease; after 6 it finds the pull request and updates it. Everything that stops it is told in the same
one comment, edited in place; a fault of the host that keeps even that from being told is the exit code's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.edits.errors import EditError
from dev_agent.errors import DevAgentError, UsageFault
from dev_agent.forges.admission import admitted
from dev_agent.forges.issue_report import BotOutcome, BotReport
from dev_agent.forges.issue_text import (
    COMMENT,
    PULL,
    comment_body,
    pull_body,
    pull_title,
    working_body,
)
from dev_agent.forges.opening import opened
from dev_agent.forges.place import kept_state
from dev_agent.forges.propose import refused
from dev_agent.forges.publication import Publication, Stopped, refusal
from dev_agent.forges.remote import Denied, Moved
from dev_agent.forges.request import Asked, Refused, weigh
from dev_agent.forges.sticky import find, marker, say, state_of
from dev_agent.forges.threads import NewPullRequest, OpenState
from dev_agent.forges.trust import changed_since
from dev_agent.policy.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.forges.threads import PullRequest

_LOOKS = 6
_LOOK_S = 2.0
_AGAIN = "ask again with a new comment: the work goes on from what is there now"
_PUSH_HINT = (
    "the job needs `permissions: contents: write`; a rule may protect branches named dev-agent/**; a change of "
    "workflows needs a token that may change them"
)


def publish(work: Publication) -> BotReport:
    """Publish, or tell why not. Raises what kept it from telling anybody, and faults of ours."""
    found = weigh(work.forge, work.trigger, bots=work.bots)
    if isinstance(found, Refused):
        if found.told and found.distrust.about_actor:
            # A stranger must not be able to replace what the bot has told others; the log of the job has it.
            return refused(found)
        return _told(work, found, refused(found), found.state)
    try:
        return _publish(work, found)
    except Stopped as stopped:
        return _told(work, found, stopped.report, found.state if stopped.state is None else stopped.state)
    except (DevAgentError, EditError, PolicyError) as fault:
        failed = BotReport(
            outcome=BotOutcome.FAILED,
            issue=work.trigger.issue,
            reason="fault",
            sentence=str(fault),
            advice=fault.hint,
            branch=found.place.branch,
            code=2 if isinstance(fault, UsageFault) else 3,
        )
        # The branch may have moved before the fault: what the comment keeps by now is what happened.
        kept = state_of(find(work.forge, work.trigger.issue, COMMENT, viewer=found.viewer))
        return _told(work, found, failed, kept)


def _publish(work: Publication, asked: Asked) -> BotReport:
    judged = admitted(work, asked)
    commit = judged.commit or ""
    state = kept_state(key=work.trigger.key, branch=asked.place.branch, base=judged.base, commit=commit)
    _require_asked(work)
    body = working_body(work.trigger, asked.place.branch, commit)
    say(work.forge, work.trigger.issue, COMMENT, body, viewer=asked.viewer, state=state)
    _push(work, asked, commit)
    done = BotReport(
        outcome=BotOutcome.PUBLISHED,
        issue=work.trigger.issue,
        branch=asked.place.branch,
        base=judged.base,
        commit=commit,
        run=judged,
    )
    pull = _pull_request(work, asked, done)
    moved = _moved_since(work, pull, commit)
    if moved is not None:
        raise Stopped(moved, state)
    done = replace(done, pull_request=pull.number, pull_request_url=pull.url)
    return _told(work, asked, done, state)


def _require_asked(work: Publication) -> None:
    distrust = changed_since(work.forge, work.trigger)
    if distrust is not None:
        raise Stopped(
            BotReport(
                outcome=BotOutcome.REJECTED,
                issue=work.trigger.issue,
                reason=distrust.doubt.value,
                sentence=distrust.sentence,
                advice=distrust.remedy,
            )
        )


def _push(work: Publication, asked: Asked, commit: str) -> None:
    pushed = work.remote.push(commit, asked.place.branch, expected=asked.place.tip)
    if isinstance(pushed, Moved):
        there = f"it is at {pushed.tip[:12]} now" if pushed.tip else "it is gone now"
        moved = refusal(
            work, asked, "moved", f"somebody pushed to {asked.place.branch} meanwhile: {there}", _AGAIN
        )
        raise Stopped(replace(moved, outcome=BotOutcome.MOVED))
    if isinstance(pushed, Denied):
        denied = refusal(
            work, asked, "push_denied", f"the server refused the push\n{pushed.said}", _PUSH_HINT
        )
        raise Stopped(replace(denied, outcome=BotOutcome.FAILED))


def _pull_request(work: Publication, asked: Asked, done: BotReport) -> PullRequest:
    """The open pull request of the branch: the one there is, or a new draft. Its text is ours only if it still is."""
    body = pull_body(done, work.trigger, _receipt(done))
    known = asked.place.pull
    if known is None:
        new = NewPullRequest(
            title=pull_title(work.trigger),
            body=body,
            head=asked.place.branch,
            base=work.forge.describe().default_branch,
        )
        return opened(work.forge, new)
    ours = known.body.replace("\r\n", "\n").startswith(f"{marker(PULL)}\n")
    return work.forge.update_pull_request(known.number, body=body) if ours else known


def _moved_since(work: Publication, pull: PullRequest, commit: str) -> BotReport | None:
    """The postcondition: the pull request is open, at the commit of the receipt. None if it holds.

    The host may take a moment to see a push, so it is asked a few times.
    """
    now = pull
    for look in range(_LOOKS):
        if look:
            work.cancel.check()
            work.clock.sleep(_LOOK_S)
            now = work.forge.pull_request(pull.number)
        if now.head.sha == commit and now.state is OpenState.OPEN:
            return None
        if now.state is OpenState.CLOSED:
            break
    said = "is closed" if now.state is OpenState.CLOSED else f"is at {now.head.sha[:12]}"
    return BotReport(
        outcome=BotOutcome.MOVED,
        issue=work.trigger.issue,
        reason="pull_request_moved",
        sentence=f"pull request {pull.number} {said} now; verified and pushed was {commit[:12]}",
        advice=_AGAIN,
        branch=pull.head.ref,
        pull_request=pull.number,
        pull_request_url=pull.url,
    )


def _told(
    work: Publication, found: Asked | Refused, report: BotReport, state: Mapping[str, str]
) -> BotReport:
    """The report, once the issue says it too."""
    if isinstance(found, Asked) and found.place.pull is not None and report.pull_request is None:
        report = replace(report, pull_request=found.place.pull.number, pull_request_url=found.place.pull.url)
    body = comment_body(report, work.trigger)
    made = say(work.forge, work.trigger.issue, COMMENT, body, viewer=found.viewer, state=state)
    return replace(report, comment_url=made.url)


def _receipt(done: BotReport) -> bytes:
    path = done.run.receipt if done.run else None
    return Path(path).read_bytes() if path else b""
