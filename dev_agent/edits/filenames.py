"""Find the file name above a SEARCH/REPLACE block, and take off what models decorate it with.

The name is on the line directly above the block. Between the two only fences and blank lines may stand, or
the block before, if both are in one fence: then the name is that block's. A word of prose is not trusted to
be a name: it is marked uncertain, and `resolve.py` accepts it only if the base has such a file. Searching
elsewhere for a name that fits is how an edit ends up in the wrong file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.proposal import Named, fence_at, is_tag_fence
from dev_agent.edits.text import escaped

_LABEL: Final = re.compile(
    r"^(?:file|filename|file name|path|file path|filepath)[ \t]*:[ \t]*(?=\S)", re.IGNORECASE
)
_PATH_LIKE: Final = re.compile(r"/|[^.\s/]\.[^.\s/]+$|^\.[^.\s/]+")
_HOW: Final = "put the file's path, relative to the repository's top, alone on the line above the block"


def name_above(lines: Sequence[str], block: int, previous: tuple[int, Named | None] | None) -> Named:
    """Return the name for the block whose head is at 0-based `block`.

    `previous` is the 0-based line after the part before, and its name if it is a block. Raises ParseError if
    no line can be the name.
    """
    for at in range(block - 1, -1, -1):
        if previous is not None and at < previous[0]:
            return _inherited(lines, block, previous)
        line = lines[at].strip()
        fence = fence_at(lines[at])
        if fence is not None and (inner := name_in_info(fence.info)):
            return _named(inner, at)
        if line and fence is None and not is_tag_fence(lines[at]):
            return _named(undecorated(line), at)
    raise ParseError("no file is named above this block", _HOW, line=block + 1)


def _inherited(lines: Sequence[str], block: int, previous: tuple[int, Named | None]) -> Named:
    if previous[1] is None or any(lines[at].strip() for at in range(previous[0], block)):
        raise ParseError(
            "no file is named above this block, and it does not directly follow another", _HOW, line=block + 1
        )
    return previous[1]


def _named(name: str, at: int) -> Named:
    if not name:
        raise ParseError("the line above the block names no file", _HOW, line=at + 1)
    if len(name) > 1000:
        raise ParseError(f"'{escaped(name, 60)}' is too long for a file name", _HOW, line=at + 1)
    return Named(path=name.removeprefix("./"), line=at + 1, certain=is_path_like(name))


def is_path_like(name: str) -> bool:
    """Return whether a text has the form of a path (a suffix or a slash, and no spaces)."""
    return " " not in name and "\t" not in name and _PATH_LIKE.search(name) is not None


def undecorated(line: str) -> str:
    """Take the usual decoration off a file name: `**x.py**`, `### x.py:`, "File: `x.py`"."""
    name = line.strip().lstrip("#").strip()
    for _ in range(3):
        name = _unwrapped(_LABEL.sub("", name).removesuffix(":").strip())
    return name


def _unwrapped(name: str) -> str:
    for mark in ("**", "`", '"', "'", "*"):
        if len(name) > 2 * len(mark) and name.startswith(mark) and name.endswith(mark):
            return name[len(mark) : -len(mark)].strip()
    return name


def name_in_info(info: str) -> str | None:
    """Return the file name in a fence's info string: "python a/b.py", "a/b.py", "python:a/b.py"."""
    for word in reversed(info.split()):
        name = word.partition(":")[2] or word
        if is_path_like(undecorated(name)):
            return undecorated(name)
    return None
