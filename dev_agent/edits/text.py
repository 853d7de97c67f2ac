"""Text as git sees it: lines, line ends, byte order mark, encoding; and the encoder to show foreign text.

Rules kept here:
- Only LF ends a line, optionally with CR before it. Form feeds, U+2028 and lone CRs are content:
  `str.splitlines` would cut lines where git does not, and every line number after them would be wrong.
- `FileText` and its bytes are inverse to each other for every input, UTF-8 or not.
- Text from a proposal or a file goes into a message only through `escaped`: no terminal escapes, no bidi
  tricks.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from dev_agent.values import dataclass

Line = tuple[str, str]
"""(content, line end); the line end is "\\n", "\\r\\n", or "" for a last line without one."""

BOM: Final = "\ufeff"
_BLANK: Final = " \t\r\x0b\x0c"


def split_lines(text: str) -> list[Line]:
    """Cut `text` into (content, line end) pairs; `join_lines` is the inverse."""
    pieces = text.split("\n")
    last = pieces.pop()
    lines = [(piece[:-1], "\r\n") if piece.endswith("\r") else (piece, "\n") for piece in pieces]
    return [*lines, (last, "")] if last else lines


def join_lines(lines: list[Line]) -> str:
    """Join what `split_lines` cut."""
    return "".join(content + end for content, end in lines)


def without_trailing_space(content: str) -> str:
    """Drop ASCII white space at the end of a line."""
    return content.rstrip(_BLANK)


def indentation(content: str) -> str:
    """Return the spaces and tabs a line begins with."""
    return content[: len(content) - len(content.lstrip(" \t"))]


def escaped(text: str, limit: int = 120) -> str:
    """Return `text` on one line, safe to print: hidden characters as escapes, cut at `limit`."""
    cut = text[:limit]
    shown = "".join(_escape(character) for character in cut)
    return shown + "…" if len(text) > limit else shown


def _escape(character: str) -> str:
    if character != "\\" and character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """The text of a base file.

    `utf8` false: bytes that are no UTF-8 are kept as surrogates and come back unchanged.
    """

    lines: tuple[Line, ...]
    bom: bool
    utf8: bool

    @classmethod
    def from_bytes(cls, content: bytes) -> FileText:
        """Read a file's bytes. Never fails; whether the content is text at all is for the caller to ask."""
        try:
            text, utf8 = content.decode("utf-8"), True
        except UnicodeDecodeError:
            text, utf8 = content.decode("utf-8", "surrogateescape"), False
        bom = text.startswith(BOM)
        return cls(lines=tuple(split_lines(text[1:] if bom else text)), bom=bom, utf8=utf8)

    @property
    def line_end(self) -> str:
        """The line end most lines have; LF if there is none."""
        ends = Counter(end for _, end in self.lines if end)
        return "\r\n" if ends["\r\n"] > ends["\n"] else "\n"

    def line_end_at(self, index: int) -> str:
        """The line end that a new line before line `index` (0-based) should take from its neighbours."""
        for neighbour in (index - 1, index):
            if 0 <= neighbour < len(self.lines) and self.lines[neighbour][1]:
                return self.lines[neighbour][1]
        return self.line_end


def to_bytes(lines: list[Line], *, bom: bool) -> bytes:
    """Return the bytes of a file with these lines."""
    return ((BOM if bom else "") + join_lines(lines)).encode("utf-8", "surrogateescape")
