"""The message of a staged commit, made from text somebody else wrote.

A task may come from an issue, so it is data: it must not be able to add trailers (`Signed-off-by:`,
`Co-authored-by:`, our own), to steer `git rebase --autosquash`, to reorder what a terminal shows, or to end
the message early for `git am`. The first line becomes the subject with invisible characters removed; the
whole task, if it says more, follows quoted with `> `, which git takes for a trailer nowhere; our trailers are
a last paragraph of their own. Pure.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping

SUBJECT_WIDTH = 72
_BODY_LIMIT = 4_000
_REVERT = 'Revert "{}"'
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_OBEYED = re.compile(r"(?:-{3,}|(?:fixup|squash|amend)!|\s)+")


def commit_message(task: str, trailers: Mapping[str, str]) -> str:
    """Subject, quoted task if it is longer, trailers; ends with a newline.

    Raises ValueError for a trailer that would not be exactly one line `Key: value`.
    """
    lines = [_visible(line) for line in task.splitlines()]
    said = [line for line in lines if line]
    subject = _subject(said[0] if said else "")
    parts = [subject]
    if said and (len(said) > 1 or said[0] != subject):
        parts.append(_quoted(lines))
    if trailers:
        parts.append("\n".join(_trailer(key, value) for key, value in trailers.items()))
    return "\n\n".join(parts) + "\n"


def revert_message(reverted: str, commit: str, trailers: Mapping[str, str]) -> str:
    """The message that takes back `commit`, whose own message is `reverted`, in the words of `git revert`.

    Raises ValueError as `commit_message` does.
    """
    told = "\n".join(_trailer(key, value) for key, value in trailers.items())
    return "\n\n".join([revert_subject(reverted), f"This reverts commit {commit}.", told]) + "\n"


def revert_subject(reverted: str) -> str:
    """`Revert "…"` around the first line of a message, cut to a subject's width."""
    subject = _visible(reverted.partition("\n")[0])
    room = SUBJECT_WIDTH - len(_REVERT.format(""))
    return _REVERT.format(subject if len(subject) <= room else _cut(subject[: room - 1]) + "…")


def _subject(line: str) -> str:
    obeyed = _OBEYED.match(line)
    line = line[obeyed.end() :] if obeyed else line
    if not line:
        return "Apply a change"
    return line if len(line) <= SUBJECT_WIDTH else _cut(line[: SUBJECT_WIDTH - 1]) + "…"


def _cut(text: str) -> str:
    """`text` without its last, perhaps half, word, unless that is most of it."""
    words = text.rpartition(" ")[0]
    return words if len(words) > SUBJECT_WIDTH // 2 else text


def _quoted(lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    if len(text) > _BODY_LIMIT:
        text = text[:_BODY_LIMIT] + "…"
    wrapped = [part for line in text.split("\n") for part in textwrap.wrap(line, SUBJECT_WIDTH - 2) or [""]]
    return "\n".join(f"> {line}".rstrip() for line in wrapped)


def _visible(line: str) -> str:
    """`line` on one line, with white space collapsed and characters that do not show removed."""
    spaced = (" " if char.isspace() else char for char in line)
    shown = (char for char in spaced if unicodedata.category(char) not in _INVISIBLE)
    return " ".join("".join(shown).split())


def _trailer(key: str, value: str) -> str:
    if not _KEY.fullmatch(key) or not value or value != _visible(value):
        raise ValueError(f"not a trailer: {key!r}: {value!r}")
    return f"{key}: {value}"
