"""The `*** Begin Patch` envelope ("V4A") of OpenAI's apply_patch.

    *** Begin Patch
    *** Update File: src/app.py
    *** Move to: src/main.py
    @@ class Greeter
     context
    -old
    +new
    *** End of File
    *** Add File: a.txt
    +text
    *** Delete File: b.txt
    *** End Patch

Its implementations disagree (codex-rs, the openai-agents SDK, aider); the choices made here:
- Markers stand in column one; what a shell puts around the envelope is prose. Without `*** End Patch` it was
  cut off, and is refused.
- Chunks come in any order and the first needs no `@@`. An anchor that is no line of the file is an error; the
  lines of a chunk must be unique below it, not the first hit (`scope.py`). `@@ -1,2 +1,2 @@` is a bare `@@`.
- A chunk that only adds lines is refused, unless it ends with `*** End of File`: some put it at the file's
  end, others at its top.
- Adding or moving over an existing file, and changing one path twice by other than chunks, is an error.
- An empty line counts as context between other lines, and as nothing at the end of a chunk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.model import Create, Delete, Edit, Insert, Move, Origin, Replace
from dev_agent.edits.proposal import Here, Part
from dev_agent.edits.text import escaped
from dev_agent.values import dataclass

_BEGIN: Final = "*** Begin Patch"
_END: Final = "*** End Patch"
_EOF: Final = "*** End of File"
_HEADER: Final = re.compile(r"^\*\*\* (Add File|Update File|Delete File|Move to):(.*)$")
_NEAR: Final = re.compile(
    r"^[ \t]*\*\*\*[ \t]*(?:(?:begin|end) patch|(?:add|update|delete) file:|move to:|end of file)",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(r"^-\d+(?:,\d+)? \+\d+(?:,\d+)?(?: @@.*)?$")
_HOW: Final = f"write '{_BEGIN}' and '{_END}' on lines of their own, from column one"


class ApplyPatch:
    """The format, for `parse.FORMATS`."""

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        line = here.page.lines[here.at]
        return line.startswith(_BEGIN) and line.rstrip() == _BEGIN

    def read(self, here: Here) -> Part:
        """See `Format.read`: one envelope."""
        envelope = _Envelope(
            lines=here.page.lines, at=here.at + 1, crlf=here.page.lines[here.at].endswith("\r")
        )
        edits = envelope.edits(begin=here.at + 1)
        return Part(end=envelope.at, edits=tuple(edits))

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`."""
        if "***" in here.page.lines[here.at][:40] and _NEAR.match(here.page.lines[here.at]):
            raise ParseError(
                f"'{escaped(here.page.lines[here.at])}' stands outside an apply_patch envelope",
                _HOW,
                line=here.at + 1,
            )


@dataclass(slots=True, kw_only=True)
class _Chunk:
    """One chunk of an update. `rows` are (" ", "-" or "+"; content); `bare` counts empty lines at its end."""

    line: int
    anchors: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    bare: int = 0
    at_end: bool = False

    def side(self, absent: str) -> str:
        rows = self.rows[: len(self.rows) - self.bare]
        return "".join(f"{content}\n" for tag, content in rows if tag != absent)


@dataclass(slots=True, kw_only=True)
class _Envelope:
    """An envelope while it is read. `at` is the next line, 0-based."""

    lines: Sequence[str]
    at: int
    crlf: bool

    def edits(self, begin: int) -> list[Edit]:
        made: list[Edit] = []
        while (line := self._line(begin)).rstrip() != _END:
            header = _HEADER.match(line)
            if not line.strip() or line.startswith("*** Environment ID:"):
                self.at += 1
                continue
            path = "" if header is None else _path(header)
            if header is None or header.group(1) == "Move to" or not path:
                raise ParseError(
                    f"'{escaped(line)}' begins no file of the patch",
                    "write '*** Update File: PATH', '*** Add File: PATH' or '*** Delete File: PATH'",
                    line=self.at + 1,
                )
            self.at += 1
            made += self._file(header.group(1), path, begin)
        self.at += 1
        if not made:
            raise ParseError("the patch changes nothing", "add files to it, or leave it out", line=begin)
        return made

    def _line(self, begin: int) -> str:
        if self.at >= len(self.lines):
            raise ParseError(
                f"the patch that begins here does not end with '{_END}'; was it cut off?", _HOW, line=begin
            )
        line = self.lines[self.at]
        return line.removesuffix("\r") if self.crlf else line

    def _file(self, kind: str, path: str, begin: int) -> list[Edit]:
        origin = Origin(line=self.at, name_line=self.at)
        if kind == "Delete File":
            return [Delete(path=path, origin=origin)]
        if kind == "Add File":
            return [Create(path=path, text=self._added(begin), origin=origin)]
        return self._updated(path, origin, begin)

    def _added(self, begin: int) -> str:
        rows: list[str] = []
        bare = 0
        while not (line := self._line(begin)).startswith("*** "):
            if line.strip() and not line.startswith("+"):
                raise ParseError(
                    f"'{escaped(line)}' is no line of a new file",
                    "begin every line with '+'",
                    line=self.at + 1,
                )
            rows.append(line[1:])
            bare = 0 if line.strip() else bare + 1
            self.at += 1
        if line.rstrip() == _EOF:
            self.at += 1
        return "".join(f"{row}\n" for row in rows[: len(rows) - bare])

    def _updated(self, path: str, origin: Origin, begin: int) -> list[Edit]:
        header = _HEADER.match(self._line(begin))
        to = _path(header) if header and header.group(1) == "Move to" else None
        if to is not None:
            self.at += 1
        chunks = self._chunks(begin)
        if not chunks and to is None:
            raise ParseError(
                f"the update of '{escaped(path)}' changes nothing", "add chunks", line=origin.line
            )
        moves: list[Edit] = [] if to is None else [Move(path=path, to=to, origin=origin)]
        return moves + [_edit(chunk, path, to, origin.line) for chunk in chunks]

    def _chunks(self, begin: int) -> list[_Chunk]:
        chunks: list[_Chunk] = []
        while not (line := self._line(begin)).startswith("*** ") or line.rstrip() == _EOF:
            if not line and (not chunks or chunks[-1].at_end):
                pass
            elif line.startswith("@@"):
                self._anchor(chunks, line)
            else:
                if not chunks or chunks[-1].at_end:
                    chunks.append(_Chunk(line=self.at + 1))
                self._row(chunks[-1], line)
            self.at += 1
        for chunk in chunks:
            if len(chunk.rows) == chunk.bare:
                raise ParseError("a chunk without lines", "add lines, or leave it out", line=chunk.line)
        return chunks

    def _anchor(self, chunks: list[_Chunk], line: str) -> None:
        if not chunks or chunks[-1].rows or chunks[-1].at_end:
            chunks.append(_Chunk(line=self.at + 1))
        anchor = line.removeprefix("@@").strip()
        if anchor and not _NUMBERS.match(anchor):
            chunks[-1].anchors.append(anchor.removesuffix("@@").strip())

    def _row(self, chunk: _Chunk, line: str) -> None:
        if line.rstrip() == _EOF:
            chunk.at_end = True
        elif not line:
            chunk.rows.append((" ", ""))
            chunk.bare += 1
        elif line[0] in " +-":
            chunk.rows.append((line[0], line[1:]))
            chunk.bare = 0
        else:
            raise ParseError(
                f"'{escaped(line)}' is neither context, removed nor added",
                "begin every line of a chunk with a space, '-' or '+'",
                line=self.at + 1,
            )


def _path(header: re.Match[str]) -> str:
    return str(header.group(2)).strip(" \t").removeprefix("./")


def _edit(chunk: _Chunk, path: str, to: str | None, name_line: int) -> Edit:
    origin = Origin(line=chunk.line, name_line=name_line)
    old, new = chunk.side("+"), chunk.side("-")
    if not old and chunk.at_end and not chunk.anchors:
        return Insert(path=path, text=new, after=None, to=to, origin=origin)
    return Replace(
        path=path,
        old=old,
        new=new,
        # Without lines to seek and without a number this is refused, and makes no file either.
        numbered=not old,
        anchors=tuple(chunk.anchors),
        at_end=chunk.at_end,
        to=to,
        origin=origin,
    )
