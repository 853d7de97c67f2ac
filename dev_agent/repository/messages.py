"""The message of a staged commit, made from text somebody else wrote.

A task may come from an issue, so it is data: it must not be able to add trailers (`Signed-off-by:`,
`Co-authored-by:`, our own), to steer `git rebase --autosquash`, to reorder what a terminal shows, or to end
the message early for `git am`. The first line becomes the subject with invisible characters removed; the
whole task, if it says more, follows quoted with `> `, which git takes for a trailer nowhere; our trailers are
a last paragraph of their own. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev_agent.repository.message_text import SUBJECT_WIDTH, quoted, trailer, unsteered, visible, within

_REVERT = 'Revert "{}"'


def commit_message(task: str, trailers: Mapping[str, str]) -> str:
    """Subject, quoted task if it is longer, trailers; ends with a newline.

    Raises ValueError for a trailer that would not be exactly one line `Key: value`.
    """
    lines = [visible(line) for line in task.splitlines()]
    said = [line for line in lines if line]
    subject = within(unsteered(said[0] if said else "")) or "Apply a change"
    parts = [subject]
    if said and (len(said) > 1 or said[0] != subject):
        parts.append(quoted(lines))
    if trailers:
        parts.append("\n".join(trailer(key, value) for key, value in trailers.items()))
    return "\n\n".join(parts) + "\n"


def revert_message(reverted: str, commit: str, trailers: Mapping[str, str]) -> str:
    """The message that takes back `commit`, whose own message is `reverted`, in the words of `git revert`.

    Raises ValueError as `commit_message` does.
    """
    told = "\n".join(trailer(key, value) for key, value in trailers.items())
    return "\n\n".join([revert_subject(reverted), f"This reverts commit {commit}.", told]) + "\n"


def revert_subject(reverted: str) -> str:
    """`Revert "…"` around the first line of a message, cut to a subject's width."""
    subject = visible(reverted.partition("\n")[0])
    room = SUBJECT_WIDTH - len(_REVERT.format(""))
    return _REVERT.format(within(subject, room))
