"""What a commit message is made of, where somebody else wrote the words: one visible line, a quotation, a trailer.

Each is for one place and cannot leave it: a line holds no break and nothing that does not show, every line of a
quotation begins with `> `, which git takes for a trailer nowhere, and a trailer is exactly one line `Key: value` or
refused. Pure.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata

SUBJECT_WIDTH = 72
_BODY_LIMIT = 4_000
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OBEYED = re.compile(r"(?:-{3,}|(?:fixup|squash|amend)!|\s)+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def within(line: str, width: int = SUBJECT_WIDTH) -> str:
    """`line` cut to `width`, with an ellipsis, and at a word's end unless that takes away most of it."""
    if len(line) <= width:
        return line
    room = line[: width - 1]
    words = room.rpartition(" ")[0]
    return (words if len(words) > width // 2 else room) + "…"


def unsteered(line: str) -> str:
    """`line` without what `git rebase --autosquash` and `git am` would obey at the beginning of a subject."""
    obeyed = _OBEYED.match(line)
    return line[obeyed.end() :] if obeyed else line


def quoted(lines: list[str]) -> str:
    """Visible lines as a quotation, wrapped, and cut where it gets long."""
    text = "\n".join(lines).strip("\n")
    if len(text) > _BODY_LIMIT:
        text = text[:_BODY_LIMIT] + "…"
    wrapped = [part for line in text.split("\n") for part in textwrap.wrap(line, SUBJECT_WIDTH - 2) or [""]]
    return "\n".join(f"> {line}".rstrip() for line in wrapped)


def visible(line: str) -> str:
    """`line` on one line, with white space collapsed and characters that do not show removed."""
    spaced = (" " if char.isspace() else char for char in line)
    shown = (char for char in spaced if unicodedata.category(char) not in _INVISIBLE)
    return " ".join("".join(shown).split())


def trailer(key: str, value: str) -> str:
    """The line `key: value`. Raises ValueError unless it is exactly that."""
    if not _KEY.fullmatch(key) or not value or value != visible(value):
        raise ValueError(f"not a trailer: {key!r}: {value!r}")
    return f"{key}: {value}"
