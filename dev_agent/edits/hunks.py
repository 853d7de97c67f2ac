"""Read the hunks of a unified diff, strict or as models write them.

A hunk whose counts agree with its lines is taken by its counts, as git does: then even a content line that
looks like a header is content. If the counts are missing or wrong, the hunk ends where its lines stop looking
like a hunk, and its numbers are hints only.

Rules kept here:
- A line that belongs to no hunk but directly follows an unfinished one is an error: dropping it would drop an
  edit.
- An empty line inside a hunk is an empty context line; models and mailers lose the one space.
- `\\ No newline at end of file` takes the line end off the line before it, and only a last line may lack one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.proposal import Fence, closes, fence_at
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

HEADER: Final = re.compile(r"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_VERSION: Final = re.compile(r"^\d+\.\d+")
Row = tuple[str, str]
"""(" ", "-" or "+"; text with its line end)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One hunk.

    `line` is 1-based in the proposal; `start` the base line its header states; `counted` if counts agree.
    """

    line: int
    start: int | None
    counted: bool
    rows: tuple[Row, ...]

    @property
    def old(self) -> str:
        """The base lines this hunk covers."""
        return "".join(text for tag, text in self.rows if tag != "+")

    @property
    def new(self) -> str:
        """What they become."""
        return "".join(text for tag, text in self.rows if tag != "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The lines hunks are read from, the fence around them, and whether transport added a CR to each."""

    lines: Sequence[str]
    fence: Fence | None
    crlf: bool

    def text(self, at: int) -> str:
        """Return line `at` without its transport's CR."""
        return self.lines[at].removesuffix("\r") if self.crlf else self.lines[at]

    def blank(self, at: int) -> bool:
        """Return whether line `at` is empty but for a CR."""
        return self.lines[at].rstrip("\r") == ""


def begins_file(lines: Sequence[str], at: int) -> bool:
    """Return whether a file's part of a diff begins at line `at`."""
    line = lines[at]
    if line.startswith(("diff --git ", "diff --cc ", "diff --combined ")):
        return True
    return line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def read_hunk(source: Source, at: int) -> tuple[Hunk, int]:
    """Read the hunk whose `@@` line is `at` (0-based). Return it and the line after it. Raises ParseError."""
    header = HEADER.match(source.lines[at])
    start = int(header.group(1)) if header else 0
    if header:
        old_count, new_count = (int(group) if group is not None else 1 for group in header.group(2, 4))
        taken = _counted(source, at + 1, old_count, new_count)
        if taken is not None:
            rows, end = taken
            # In a header, an empty old side names the line *before* the insertion.
            first = start if old_count else start + 1
            return Hunk(line=at + 1, start=first or None, counted=True, rows=_joined(rows, at)), end
    rows, end = _loose(source, at + 1)
    _refuse_remainder(source, at, end)
    return Hunk(line=at + 1, start=start or None, counted=False, rows=_joined(rows, at)), end


def _counted(source: Source, at: int, old: int, new: int) -> tuple[list[Row], int] | None:
    """Take lines by the header's counts; None if lines and counts do not agree."""
    rows: list[Row] = []
    while (old or new) and at < len(source.lines):
        row = _row(source, at)
        if row is None:
            return None
        old -= row[0] in " -"
        new -= row[0] in " +"
        if min(old, new) < 0:
            return None
        rows.append(row)
        at += 1
    while at < len(source.lines) and source.lines[at].startswith("\\"):
        rows.append(("\\", ""))
        at += 1
    return None if old or new or _continues(source, at) else (rows, at)


def _row(source: Source, at: int) -> Row | None:
    line = source.text(at)
    if source.blank(at):
        return (" ", line + "\n")
    if line[0] not in " +-\\":
        return None
    return (line[0], line[1:] + "\n")


def _continues(source: Source, at: int) -> bool:
    """Return whether the hunk goes on after its counts are used up, that is, the counts are too small."""
    first = at
    while at < len(source.lines) and source.blank(at):
        at += 1
    if at == len(source.lines) or begins_file(source.lines, at) or _is_signature(source, at):
        return False
    # A space after an empty line may be indented prose; inside a fence there is no prose.
    return source.lines[at].startswith(("+", "-", " ") if at == first or source.fence else ("+", "-"))


def _is_signature(source: Source, at: int) -> bool:
    """Return whether line `at` is the `-- ` under a mailed patch, with the version after it."""
    if source.lines[at].rstrip() != "--":
        return False
    return at + 1 == len(source.lines) or _VERSION.match(source.lines[at + 1]) is not None


def _loose(source: Source, at: int) -> tuple[list[Row], int]:
    """Take lines for as long as they look like a hunk; empty lines at its end are not part of it."""
    rows: list[Row] = []
    filled, end = 0, at
    while at < len(source.lines) and not begins_file(source.lines, at) and not _is_signature(source, at):
        row = _row(source, at)
        if row is None:
            break
        rows.append(row)
        at += 1
        if not source.blank(at - 1):
            filled, end = len(rows), at
    return rows[:filled], end


def _refuse_remainder(source: Source, hunk: int, end: int) -> None:
    if end == len(source.lines) or source.blank(end):
        return
    line = source.lines[end]
    if closes(line, source.fence):
        _refuse_closed_early(source, hunk, end)
        return
    if begins_file(source.lines, end) or line.startswith("@@") or _is_signature(source, end):
        return
    if fence_at(line) and source.fence is None:
        return
    raise ParseError(
        f"'{escaped(line)}' is neither context, removed nor added, and the hunk's line counts do not agree",
        "begin every line of a hunk with a space, '-' or '+'",
        line=end + 1,
    )


def _refuse_closed_early(source: Source, hunk: int, end: int) -> None:
    if end + 1 < len(source.lines) and source.lines[end + 1].startswith(("+", "-", " ", "@@", "\\")):
        raise ParseError(
            f"the hunk of line {hunk + 1} is shorter than its header says, and lines like a hunk's follow"
            " the fence that closes here",
            "put the diff in a fence longer than any fence inside it, and a space before context lines",
            line=end + 1,
        )


def _joined(rows: Sequence[Row], hunk: int) -> tuple[Row, ...]:
    """Apply the no-newline markers to the rows before them."""
    joined: list[Row] = []
    for tag, text in rows:
        if tag != "\\":
            joined.append((tag, text))
        elif joined and joined[-1][1].endswith("\n"):
            joined[-1] = (joined[-1][0], joined[-1][1][:-1])
    for side in ("+", "-"):
        texts = [text for tag, text in joined if tag != side]
        if any(not text.endswith("\n") for text in texts[:-1]):
            raise ParseError(
                "a line without newline stands in the middle of the hunk",
                "only a file's last line may",
                line=hunk + 1,
            )
    return tuple(joined)
