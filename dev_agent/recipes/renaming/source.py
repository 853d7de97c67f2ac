"""One Python file of the tree: its text, its syntax tree, and where a node stands in the text.

Only characters of identifiers are ever replaced, so byte order mark, line ends, encoding cookie and layout stay.
A file that cannot be decoded, parsed, or walked (nesting) is `Unreadable`, never half understood.
"""

from __future__ import annotations

import ast
import bisect
import codecs
import io
import re
import tokenize
from typing import TYPE_CHECKING

from dev_agent.python_text import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE_END = re.compile(r"\r\n|\r|\n")


class UnreadableError(Exception):
    """A Python file that cannot be understood; the message says why."""


class Source:
    """A parsed file. Offsets count characters of `text`, lines from 1, columns as `ast` gives them (UTF-8 bytes)."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self._bom = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            self._encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
            if self._bom:
                self._encoding = "utf-8"
            self.text = content[len(self._bom) :].decode(self._encoding)
            self.tree = parsed(self.text)
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
            raise UnreadableError(str(error) or type(error).__name__) from error
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(self.text))]

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a position of `ast`."""
        start = self._starts[line - 1]
        text = self.line(line)
        return start + (column if text.isascii() else len(text.encode()[:column].decode(errors="ignore")))

    def line(self, line: int) -> str:
        """Return a line without its end; empty for one that is not there."""
        if not 0 < line <= len(self._starts):
            return ""
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[self._starts[line - 1] : end].rstrip("\r\n")

    def line_at(self, offset: int) -> int:
        """Return the line an offset is in."""
        return bisect.bisect_right(self._starts, offset)

    def column_at(self, offset: int) -> int:
        """Return how many characters precede an offset in its line."""
        return offset - self._starts[self.line_at(offset) - 1]

    def start(
        self, node: ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword | ast.excepthandler | ast.pattern
    ) -> int:
        """Return where a node begins."""
        return self.offset(node.lineno, node.col_offset)

    def end(
        self, node: ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword | ast.excepthandler | ast.pattern
    ) -> int:
        """Return where a node ends."""
        return self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def identifiers(self, name: str) -> list[int]:
        """Return the offsets of all identifier tokens spelled so; those in f-strings only where Python has them."""
        return [
            self._starts[token.start[0] - 1] + token.start[1]
            for token in self._tokens()
            if token.type == tokenize.NAME and token.string == name
        ]

    def comments(self, name: str) -> list[tuple[int, str]]:
        """Return offset and text of the comments with this word in them."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        return [
            (self._starts[token.start[0] - 1] + token.start[1], token.string)
            for token in self._tokens()
            if token.type == tokenize.COMMENT and word.search(token.string)
        ]

    def _tokens(self) -> Iterable[tokenize.TokenInfo]:
        # Line ends are kept one for one, so that tokenize counts lines as ast does.
        lines = iter(
            [self.text[a:b] for a, b in zip(self._starts, [*self._starts[1:], len(self.text)], strict=True)]
        )
        plain = (
            "\n".join(_LINE_END.split(line)) if line.endswith(("\r", "\r\n")) else line for line in lines
        )
        try:
            yield from tokenize.generate_tokens(lambda: next(plain, ""))
        except (tokenize.TokenError, SyntaxError) as error:
            raise UnreadableError(str(error)) from error

    def replaced(self, edits: Iterable[tuple[int, int, str]]) -> bytes:
        """Return the file with [start, end) replaced by text, for each. Raises UnreadableError for characters
        that its encoding lacks.
        """
        text, last, parts = self.text, 0, []
        for start, end, new in sorted(set(edits)):
            parts += [text[last:start], new]
            last = end
        try:
            return self._bom + ("".join([*parts, text[last:]])).encode(self._encoding)
        except UnicodeEncodeError as error:
            raise UnreadableError(f"the new name cannot be written in {self._encoding}") from error
