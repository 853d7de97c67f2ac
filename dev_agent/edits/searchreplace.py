"""SEARCH/REPLACE blocks, as aider's `editblock_coder.py` made them common, and their three-character variant.

    pkg/mod.py
    <<<<<<< SEARCH
    old lines
    =======
    new lines
    >>>>>>> REPLACE

Rules kept here:
- A marker fills its line from column one. The number of `<`, `=` and `>` (5 to 9) agrees within a block, so a
  heading underlined by another number of `=` is content. A short block (`<<<SEARCH`) has 3, and may be
  divided by 7 `=`.
- A second line that could be the divider is refused, not guessed; content that equals a marker is written
  `\\=======`.
- The file's name stands on the line directly above the block or its fence. Another file is never searched.
- A line that tries to be a marker and is none is an error: a block that is skipped in silence is an edit
  lost.
- An empty SEARCH makes a file; `resolve.py` refuses it where a file with content exists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.filenames import name_above
from dev_agent.edits.model import Origin, Replace
from dev_agent.edits.proposal import Here, Named, Part
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

_HEAD: Final = re.compile(r"^(<{5,9}) SEARCH>?[ \t]*\r?$|^(<<<) ?SEARCH>?[ \t]*\r?$")
_NEAR_HEAD: Final = re.compile(r"^[ \t]*<{3,}[ \t]*(?:search|original|before)\b[ \t>]*\r?$", re.IGNORECASE)
_NEAR_END: Final = re.compile(
    r"^[ \t]*(?:>{3,}[ \t]*(?:replace|updated|after)|(?:replace|updated)[ \t]*>{3,})[ \t]*\r?$", re.IGNORECASE
)
_HOW: Final = (
    "write '<<<<<<< SEARCH', '=======' and '>>>>>>> REPLACE' on lines of their own, from column one,"
    " with the file's path above"
)


def _width(line: str) -> int:
    """Return the number of marker characters if `line` is the head of a block, else 0."""
    found = _HEAD.match(line)
    return len(found.group(1) or found.group(2)) if found else 0


class SearchReplace:
    """The format, for `parse.FORMATS`."""

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        return (
            here.page.lines[here.at].startswith("<<<") and _HEAD.match(here.page.lines[here.at]) is not None
        )

    def read(self, here: Here) -> Part:
        """See `Format.read`: one block."""
        lines = here.page.lines
        block = _read(lines, here.at, _width(lines[here.at]))
        before = None if here.before is None else (here.before.end, here.before.named)
        named = name_above(lines, here.at, before)
        return Part(end=block.end, edits=(_edit(block, named),), named=named)

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`."""
        line = here.page.lines[here.at]
        if _NEAR_HEAD.match(line) or _NEAR_END.match(line):
            raise ParseError(
                f"'{escaped(line)}' is not a marker of a SEARCH/REPLACE block", _HOW, line=here.at + 1
            )


@dataclass(slots=True, kw_only=True)
class _Block:
    """One block while it is read. `end` is the 0-based line after it."""

    start: int
    width: int
    crlf: bool
    search: list[str] = field(default_factory=list)
    replace: list[str] = field(default_factory=list)
    divided_at: int | None = None
    end: int = 0
    suspect: int | None = None

    def is_divider(self, line: str) -> bool:
        bare = line.rstrip(" \t\r")
        return bare == "=" * self.width or (self.width == 3 and bare == "=======")

    def is_end(self, line: str) -> bool:
        bare = line.rstrip(" \t\r")
        if self.width == 3:
            return bare in {">>>REPLACE", ">>> REPLACE", "REPLACE>>>", "REPLACE >>>"}
        return bare == ">" * self.width + " REPLACE"

    def is_head(self, line: str) -> bool:
        return _width(line) == self.width

    def is_marker(self, line: str) -> bool:
        return self.is_divider(line) or self.is_end(line) or self.is_head(line)

    def content(self, line: str) -> str:
        """Return the line as content, without the backslash of an escaped marker and the transport's CR."""
        if line.startswith("\\") and self.is_marker(line.lstrip("\\")):
            line = line[1:]
        return line.removesuffix("\r") if self.crlf else line


def _read(lines: Sequence[str], start: int, width: int) -> _Block:
    """Read the block whose head stands at `start`. Only exact markers change the state."""
    block = _Block(start=start, width=width, crlf=lines[start].endswith("\r"))
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if block.is_head(line):
            raise _unfinished(block, f"another SEARCH begins at line {at + 1} before the block ends")
        if block.is_end(line):
            if block.divided_at is None:
                raise _unfinished(block, f"it ends at line {at + 1} without a dividing line")
            block.end = at + 1
            return block
        if block.is_divider(line):
            _divide(block, at)
            continue
        if _NEAR_END.match(line) or _HEAD.match(line) or _looks_divider(line):
            block.suspect = at
        (block.search if block.divided_at is None else block.replace).append(block.content(line))
    raise _unfinished(block, "the text ends inside it; was it cut off?")


def _divide(block: _Block, at: int) -> None:
    if block.divided_at is not None:
        raise ParseError(
            f"ambiguous: both line {block.divided_at + 1} and line {at + 1} could divide the block",
            "put a backslash before the line that is content (\\=======), or longer markers in this block",
            line=block.start + 1,
        )
    block.divided_at = at


def _looks_divider(line: str) -> bool:
    bare = line.strip()
    return len(bare) >= 3 and set(bare) == {"="}


def _unfinished(block: _Block, why: str) -> ParseError:
    suspect = (
        ""
        if block.suspect is None
        else f"; line {block.suspect + 1} looks like a marker but does not match the block's {block.width}"
    )
    return ParseError(
        f"the SEARCH/REPLACE block that begins here is not complete: {why}{suspect}",
        _HOW,
        line=block.start + 1,
    )


def _edit(block: _Block, named: Named) -> Replace:
    # A SEARCH of blank lines only is no anchor: it would fit any gap between two paragraphs.
    old = block.search if any(line.strip() for line in block.search) else []
    return Replace(
        path=named.path,
        old="".join(f"{line}\n" for line in old),
        new="".join(f"{line}\n" for line in block.replace),
        origin=Origin(line=block.start + 1, name_line=named.line, name_certain=named.certain),
    )
