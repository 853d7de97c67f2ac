"""The message of a commit that a model proposed: `type(scope): subject`, facts, the task quoted, our trailers.

    fix(cart): count an empty cart as zero

    - src/shop/cart.py, tests/test_cart.py: 14 lines added, 3 removed

    > The total of an empty cart is wrong, see the report of last week.

    Dev-Agent-Run: …

The words come from a model and from a task that may be an issue of a stranger's, so they are data. Each part is made
for its place (`message_text`), and what acts from anywhere in a message is taken the action: the words that make a
code host skip its checks, and the words that close an issue. A person who proposes a patch says such things in a
message of their own (`messages`), which keeps them. Pure.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from dev_agent.repository.message_text import SUBJECT_WIDTH, quoted, trailer, unsteered, visible, within
from dev_agent.values import dataclass

_MOST_DETAILS = 12
_SILENT = "apply a change"
# "fix(cart)!: " in front of a subject that is to get its own.
_LABELLED = re.compile(r"[A-Za-z]{2,12}(?:\([^()]{0,40}\))?!?:\s+")
_SCOPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,29}")
# https://docs.github.com/actions/managing-workflow-runs/skipping-workflow-runs, and what other hosts read likewise.
_SKIPS = re.compile(
    r"\[((?:skip|no)[ -](?:ci|actions)|(?:ci|actions)[ -]skip)\]|\*{3}(NO_CI)\*{3}", re.IGNORECASE
)
_SKIP_TRAILER = re.compile(r"\bskip-checks(?=\s*:)", re.IGNORECASE)
# https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
_CLOSES = re.compile(
    r"\b((?:close|fix|resolve)[sd]?|fixes|fixed|implement(?:s|ed)?)(:?\s+)(?=(?:[\w.-]+/[\w.-]+)?#\d|https?://|GH-\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """The typed parts of the first line. `kind` is the commit's type; `scope` "" if the change has no one place."""

    kind: str
    scope: str
    summary: str

    def line(self, otherwise: str) -> str:
        """The subject, at most 72 characters; `otherwise` are the words to use if the summary says nothing."""
        scope = f"({self.scope})" if _SCOPE.fullmatch(self.scope) else ""
        lead = f"{self.kind}{scope}: "
        words = _said(self.summary) or _said(otherwise) or _SILENT
        return within(lead + words, SUBJECT_WIDTH)


def conventional_message(
    heading: Heading, *, task: str, details: Sequence[str] = (), trailers: Mapping[str, str]
) -> str:
    """The whole message; ends with a newline. Raises ValueError for a trailer that would not be one line."""
    lines = [visible(_idle(line)) for line in task.splitlines()]
    first = next((line for line in lines if line), "")
    parts = [heading.line(first)]
    if details:
        parts.append("\n".join(part for one in details[:_MOST_DETAILS] for part in _item(one)))
    if any(lines):
        parts.append(quoted(lines))
    if trailers:
        parts.append("\n".join(trailer(key, value) for key, value in trailers.items()))
    return "\n\n".join(parts) + "\n"


def _said(text: str) -> str:
    """The first line of what somebody wrote, as the words behind a label: no label of its own, no full stop."""
    lines = (visible(_idle(line)) for line in text.splitlines())
    words = unsteered(next((line for line in lines if line), ""))
    label = _LABELLED.match(words)
    words = (words[label.end() :] if label else words).rstrip(" .")
    # "Fix it" becomes "fix it"; "HTTP is slow" and "Invoice.total is wrong" keep their names.
    first = words.partition(" ")[0]
    return words[0].lower() + words[1:] if first[1:].isalpha() and first[1:].islower() else words


def _item(text: str) -> list[str]:
    """One entry of a list, wrapped; continued lines are indented, so none begins like a trailer."""
    return textwrap.wrap(
        visible(_idle(text)),
        SUBJECT_WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )


def _idle(text: str) -> str:
    """`text` without what acts on a code host from anywhere in a message; it still reads as it was meant."""
    shown = visible(text)
    shown = _SKIPS.sub(lambda found: f"({found[1] or found[2]})", shown)
    shown = _SKIP_TRAILER.sub("skip checks", shown)
    return _CLOSES.sub(r"\1\2issue ", shown)
