"""Where an anchored block may stand: below its `@@` anchors, or at the end of the file.

Rules kept here:
- An anchor is one line of the file, indentation aside, or its beginning up to the end of a word
  (`class Greeter` for `class Greeter(Base):`). A whole line is preferred to a beginning.
- An anchor must be found, and once; of stacked anchors each stands inside the block its predecessor opens, or,
  if that block has none, below it.
- What an anchor says where other implementations take the first hit, or ignore an anchor that is missing:
  here it only narrows the search, in which the block must still be unique.
"""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.matching import MANY
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, escaped, indentation

Scope = tuple[int, int]
"""Base lines [start, end), 0-based."""


def scopes(file: FileText, path: str, anchors: Sequence[str]) -> list[Scope]:
    """Return where to search, the narrowest first. `path` is for messages. Raises Refused."""
    lines = [content for content, _ in file.lines]
    found: list[Scope] = [(0, len(lines))]
    for anchor in anchors:
        at = _only(lines, path, anchor, found)
        found = [(at, _block_end(lines, at)), (at, len(lines))]
    return found


def _only(lines: Sequence[str], path: str, anchor: str, within: Sequence[Scope]) -> int:
    for start, end in within:
        hits = _hits(lines, anchor, start, end)
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise Refused(
                ProblemCode.AMBIGUOUS,
                f"the anchor '{escaped(anchor)}' stands at several places in {path}:"
                f" lines {', '.join(str(hit + 1) for hit in hits[:MANY])}",
                "put another '@@' line with the class or function around it before it",
                nearest=tuple((hit + 1, escaped(lines[hit])) for hit in hits[:5]),
            )
    raise Refused(
        ProblemCode.NOT_FOUND,
        f"the anchor '{escaped(anchor)}' is no line of {path}",
        "after '@@ ' quote one whole line of the file, or write '@@' alone",
    )


def _hits(lines: Sequence[str], anchor: str, start: int, end: int) -> list[int]:
    sought = anchor.strip()
    whole = [at for at in range(start, end) if lines[at].strip() == sought]
    return whole or [at for at in range(start, end) if _begins(lines[at].strip(), sought)]


def _begins(line: str, sought: str) -> bool:
    rest = line[len(sought) :]
    return line.startswith(sought) and not (rest[:1].isalnum() or rest[:1] == "_")


def _block_end(lines: Sequence[str], at: int) -> int:
    """Return the line after the indented block that line `at` opens; `at` + 1 if it opens none."""
    margin = len(indentation(lines[at]))
    for below in range(at + 1, len(lines)):
        content = lines[below].strip()
        if content and len(indentation(lines[below])) <= margin and content[0] not in ")]}":
            return below
    return len(lines)
