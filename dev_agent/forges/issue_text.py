"""What the issue bot writes: the one comment on the issue, and its pull request. From values to Markdown; pure.

Every text of others in it (names, paths, messages of tools, the request itself) passes an encoder of `text`; our own
words are the only Markdown. The pull request does not say that it closes the issue: whoever merges it decides that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.forges.issue_report import BotOutcome, BotReport
from dev_agent.forges.sticky import marker
from dev_agent.forges.text import commit_line, fenced, inline_code, prose, title

if TYPE_CHECKING:
    from dev_agent.forges.trigger import Trigger
    from dev_agent.programs.report import RunReport

COMMENT = "issue"
PULL = "pull"
_MOST = 20

_HEADS = {
    BotOutcome.PUBLISHED: "the change is in pull request",
    BotOutcome.NO_CHANGE: "there is nothing to change",
    BotOutcome.REJECTED: "nothing was published",
    BotOutcome.MOVED: "the change was verified, and then something else moved",
    BotOutcome.FAILED: "it could not be finished: something it needs did not work",
}


def comment_body(report: BotReport, trigger: Trigger) -> str:
    """The comment on the issue for however it ended."""
    parts = [_headline(report), f"Asked by {inline_code(trigger.actor.login)}: {prose(trigger.sentence)}"]
    if report.outcome is not BotOutcome.PUBLISHED and report.sentence:
        first, _, rest = report.sentence.partition("\n")
        parts.append(f"**Why:** {prose(first, limit=500)} ({inline_code(report.reason or 'failed')})")
        if rest.strip():
            parts.append(fenced(rest, limit=4_000))
    if report.advice:
        parts.append(f"**What to do:** {prose(report.advice.partition(chr(10))[0], limit=500)}")
    if report.run is not None:
        parts += run_parts(report.run)
    parts.append(_closing(report))
    return "\n\n".join(part for part in parts if part)


def working_body(trigger: Trigger, branch: str, commit: str) -> str:
    """What the comment says while the branch is being moved: the intent, before the deed."""
    return (
        f"**dev-agent:** publishing the verified commit {inline_code(commit[:12])} on {inline_code(branch)}.\n\n"
        f"Asked by {inline_code(trigger.actor.login)}: {prose(trigger.sentence)}\n\n"
        "If this is all there is after a while, the job was ended in between: start it again, it goes on from here."
    )


def pull_title(trigger: Trigger) -> str:
    """The title of a new pull request."""
    return title(trigger.sentence, limit=120)


def commit_task(trigger: Trigger) -> str:
    """What the commit says it is for: the request's own sentence, of which nothing acts on anybody."""
    return commit_line(trigger.sentence) or f"Work on issue {trigger.issue}"


def pull_body(report: BotReport, trigger: Trigger, receipt: bytes) -> str:
    """The body of the pull request: what was asked, what was judged and how, and the proof."""
    asker, sentence = inline_code(trigger.actor.login), prose(trigger.sentence)
    judged = f"The commit {inline_code(report.commit)} was judged on {inline_code(report.base[:12])}"
    proof = inline_code(hashlib.sha256(receipt).hexdigest())
    run = report.run.run if report.run else ""
    parts = [
        marker(PULL),
        f"For issue #{trigger.issue}, asked by {asker}: {sentence}",
        f"{judged}, in a job that ran no model, and is exactly what is on this branch.",
        *(run_parts(report.run) if report.run else ()),
        f"Receipt of run {inline_code(run)}: SHA-256 {proof}.",
        "Read the change as you would read a stranger's: tests that look away prove nothing.",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(report: BotReport) -> str:
    head = _HEADS.get(report.outcome, report.outcome.value)
    if report.outcome is BotOutcome.PUBLISHED:
        head = f"{head} #{report.pull_request} at {inline_code(report.commit[:12])}"
    return f"**dev-agent:** {head}."


def _closing(report: BotReport) -> str:
    if report.outcome is BotOutcome.PUBLISHED:
        return (
            "Review it. To go on from there, comment here or on it: `/dev-agent` and what is to be different."
        )
    stays = "" if report.pull_request is None else f"Pull request #{report.pull_request} is still there. "
    return f"{stays}Ask again with a comment that begins with `/dev-agent`."


def run_parts(report: RunReport) -> list[str]:
    """What policy and gates said of a run, and its files, as paragraphs of Markdown; some may be empty."""
    asked = [one for one in report.policy.get("findings") or () if one.get("verdict") in {"ask", "deny"}]
    return [_gates(report.gates), _findings(asked), *_failures(report.gates), _files(report.files)]


def _gates(gates: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        f"| {inline_code(str(gate.get('name', '')))} | {prose(str(gate.get('verdict', '')))} "
        f"| {len(gate.get('new_failures') or ())} | {_count(gate.get('preexisting'))} |"
        for gate in gates
    ]
    return (
        "\n".join(["| gate | verdict | newly wrong | wrong before |", "|---|---|---|---|", *rows])
        if rows
        else ""
    )


def _count(value: object) -> str:
    return (
        str(value) if isinstance(value, int) else str(len(value)) if isinstance(value, list | tuple) else "0"
    )


def _findings(findings: list[Mapping[str, Any]]) -> str:
    rows = [
        f"- policy says {prose(str(one.get('verdict', '')))}, rule {inline_code(str(one.get('rule', '')))}: "
        f"{prose(str(one.get('because', '')))}{_places(one.get('places') or ())}"
        for one in findings[:_MOST]
    ]
    return "\n".join([*rows, *_more(len(findings))])


def _places(places: Iterable[Mapping[str, Any]]) -> str:
    named = list(dict.fromkeys(str(one.get("path") or "") for one in places))[:3]
    return f" ({', '.join(map(inline_code, named))})" if named else ""


def _failures(gates: Iterable[Mapping[str, Any]]) -> list[str]:
    """The newly wrong things, as the gates said them."""
    lines = [
        ": ".join(
            part
            for part in (
                str(one.get("id") or one.get("path") or ""),
                str(one.get("message") or one.get("code") or ""),
            )
            if part
        )
        for gate in gates
        for one in gate.get("new_failures") or ()
    ]
    return [fenced("\n".join([*lines[:_MOST], *_more(len(lines))]), limit=6_000)] if lines else []


def _files(files: tuple[str, ...]) -> str:
    if not files:
        return ""
    return ", ".join(
        [f"Files: {inline_code(files[0])}", *map(inline_code, files[1:_MOST]), *_more(len(files))]
    )


def _more(count: int) -> list[str]:
    return [f"… and {count - _MOST} more"] if count > _MOST else []
