"""What somebody asks the issue bot to do: read from an event, or from an issue that is named by hand. Pure.

Asked is by a label on an issue, by a comment that *begins* with `/dev-agent`, by `workflow_dispatch` with the input
`issue`, or by hand. Everything else is not for us, which is no failure. A comment on one of our own pull requests
counts for the issue that it belongs to. The text is the one of the moment of the event: `trust` sees to it that it
still stands.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges.events import Event, IssueCommentEvent, IssuesEvent, WorkflowDispatchEvent
from dev_agent.forges.shown import shown_text
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.accounts import Actor, Association
    from dev_agent.forges.threads import Issue

COMMAND = "/dev-agent"
LABEL = "dev-agent"
MAX_WORDS = 15_000
"""Characters of a task; `apply` takes somewhat more."""

_BRANCH = re.compile(r"dev-agent/issue-([1-9][0-9]{0,9})(?:-[1-9][0-9]?)?\Z")
_NUMBER = re.compile(r"#?([1-9][0-9]{0,9})\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """Who asks for what. `thread` is where it was said; `issue` what it is about, the same unless said on our own
    pull request. `comment`, `association` and `seen_at` are of a comment, `label` of a label."""

    issue: int
    thread: int
    actor: Actor
    title: str
    body: str
    words: str = ""
    label: str = ""
    comment: int | None = None
    comment_body: str = ""
    association: Association | None = None
    seen_at: str = ""

    @property
    def key(self) -> str:
        """What makes two deliveries the same request."""
        if self.comment is not None:
            return f"comment-{self.comment}"
        return "label" if self.label else "hand"

    @property
    def sentence(self) -> str:
        """The request in one line: the words of the comment, else the title of the issue."""
        return " ".join(shown_text(self.words or self.title).split())[:MAX_WORDS]

    @property
    def task(self) -> str:
        """All that was asked: the sentence, then what the issue says, as its readers see it."""
        told = [shown_text(self.words), shown_text(self.title), shown_text(self.body)]
        return "\n\n".join(part for part in told if part)[:MAX_WORDS]

    @property
    def digest(self) -> str:
        """SHA-256 over everything that was said, so that a later job knows it is about these very words."""
        said = [self.issue, self.thread, self.key, self.title, self.body, self.words, self.seen_at]
        return hashlib.sha256(json.dumps(said).encode("ascii")).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class NotForUs:
    """The event asks nothing of the bot; `why` says what it looked for."""

    why: str


def read_trigger(event: Event, *, label: str = LABEL, ours: str | None = None) -> Trigger | NotForUs | int:
    """What the event asks for. A number is an issue that is named but not described: `by_hand` reads it.

    `ours` is the head branch of the pull request a comment stands on, where that is one of this repository.
    """
    if isinstance(event, IssuesEvent):
        return _labeled(event, label)
    if isinstance(event, IssueCommentEvent):
        return _commented(event, ours)
    if isinstance(event, WorkflowDispatchEvent):
        return issue_number(event.inputs.get("issue", ""))
    return NotForUs(why="the event is about no issue")


def by_hand(issue: Issue, actor: Actor) -> Trigger:
    """The request to work on an issue as it stands, made by `actor`."""
    return Trigger(issue=issue.number, thread=issue.number, actor=actor, title=issue.title, body=issue.body)


def issue_number(text: str) -> int:
    """The number in `12` or `#12`. Raises UsageFault."""
    found = _NUMBER.match(text.strip())
    if not found:
        raise UsageFault(
            f"{text[:40]!r} is not the number of an issue",
            hint="name it, for example --issue 12 (or the input issue)",
        )
    return int(found.group(1))


def _labeled(event: IssuesEvent, label: str) -> Trigger | NotForUs:
    if event.action != "labeled" or event.label != label:
        return NotForUs(why=f"it is not about adding the label {label}")
    if event.issue.is_pull_request:
        return NotForUs(why="a label on a pull request asks nothing")
    return Trigger(
        issue=event.issue.number,
        thread=event.issue.number,
        actor=event.sender,
        title=event.issue.title,
        body=event.issue.body,
        label=label,
    )


def _commented(event: IssueCommentEvent, ours: str | None) -> Trigger | NotForUs:
    words = _words(event.comment.body)
    if event.action != "created" or words is None:
        return NotForUs(why=f"it is not a new comment that begins with {COMMAND}")
    issue = event.issue.number
    if event.issue.is_pull_request:
        found = _BRANCH.match(ours or "")
        if not found:
            return NotForUs(why="the pull request is none of the bot's own")
        issue = int(found.group(1))
    return Trigger(
        issue=issue,
        thread=event.issue.number,
        # Who wrote the comment: of a new one that is who sent the event, and it is the comment that is trusted.
        actor=event.comment.author,
        title=event.issue.title,
        body=event.issue.body,
        words=words,
        comment=event.comment.id,
        comment_body=event.comment.body,
        association=event.comment.association,
        seen_at=event.comment.updated_at,
    )


def _words(body: str) -> str | None:
    """What follows the command; None if the comment does not begin with it."""
    found = re.match(rf"{re.escape(COMMAND)}(?=\s|\Z)(.*)\Z", body, re.DOTALL)
    return found.group(1).strip() if found else None
