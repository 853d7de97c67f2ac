"""What a campaign writes on a code host: the title and the body of a pull request. From values to Markdown; pure.

Every text of others in it (the task, names, messages of tools) passes an encoder of `text`. The first two lines are
hidden: by them the pull request is found again, and they say which commit we put on the branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.forges.forge import MAX_BODY
from dev_agent.forges.issue_text import run_parts
from dev_agent.forges.sticky import kept_line, marker
from dev_agent.forges.text import cut, inline_code, prose, title

if TYPE_CHECKING:
    from dev_agent.programs.report import RunReport

MARKER = "campaign"


def pull_title(task: str) -> str:
    """The title: the task's first line."""
    return title(task.strip().partition("\n")[0], limit=120)


def pull_body(report: RunReport, task: str, *, campaign: str) -> str:
    """The body: what was asked, what was judged and how, and where the proof is."""
    commit = report.commit or ""
    judged = (
        f"The commit {inline_code(commit[:12])} was judged on {inline_code(report.base[:12])} by this repository's own "
        "policy and gates, and is what is on this branch."
    )
    closing = (
        f"Run {inline_code(report.run)} of campaign {inline_code(campaign)}. Close this and it stays closed; "
        "what others push to the branch stays too."
    )
    parts = [
        f"The same task goes through several repositories: {prose(task.strip().partition(chr(10))[0])}",
        judged,
        *run_parts(report),
        closing,
        "Read the change as you would read a stranger's: tests that look away prove nothing.",
    ]
    head = f"{marker(MARKER)}\n{kept_line({'campaign': campaign, 'commit': commit})}\n"
    return head + cut("\n\n".join(part for part in parts if part), MAX_BODY - len(head))
