"""One Python file as text and as a syntax tree, and edits of it by place.

Rules kept here:
- What no edit covers stays as it is to the byte: byte order mark, encoding, line ends, form feeds, spacing.
- The text after edits parses, or there is no text (`Spoiled`): a recipe can leave a file out, never break its syntax.
- No file is taken that Python's own parser does not take within the bounds of `_BYTES` and `_DEPTH`; deeper trees
  have crashed native parsers.
"""

from __future__ import annotations

import ast
import bisect
import codecs
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from dev_agent.python_text import READ_AS, parsed
from dev_agent.values import dataclass

_BYTES: Final = 2_000_000
_DEPTH: Final = 200
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class Unreadable(Exception):
    """A file that is not read as Python source: the line (0 if none), and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


class Spoiled(Exception):
    """Edits that would leave a file that does not parse."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `new` where [start, end) of the text is."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the text at [start, end)."""

    type: int
    string: str
    start: int
    end: int


class Source:
    """The text of a file with its syntax tree. Offsets count characters of `text`."""

    def __init__(self, text: str, *, encoding: str = "utf-8", bom: bytes = b"") -> None:
        self.text, self._encoding, self._bom = text, encoding, bom
        self.tree = _parsed(text)

    @classmethod
    def read(cls, content: bytes) -> Source:
        """Decode and parse a file's bytes. Raises Unreadable."""
        if len(content) > _BYTES:
            raise Unreadable(0, f"it is larger than {_BYTES} bytes")
        bom = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0]
            encoding = "utf-8" if encoding == "utf-8-sig" else encoding
            text = content[len(bom) :].decode(encoding)
            if text.encode(encoding) != content[len(bom) :]:
                raise Unreadable(0, f"its {encoding} text would not be written back the same")
        except (SyntaxError, UnicodeError, LookupError) as error:
            raise Unreadable(0, f"it cannot be decoded: {error}") from None
        return cls(text, encoding=encoding, bom=bom)

    def content(self) -> bytes:
        """The file's bytes."""
        return self._bom + self.text.encode(self._encoding)

    def edited(self, edits: Iterable[Edit]) -> Source:
        """The source after edits that do not overlap; of two insertions at one place the first given comes first.

        Raises Spoiled if it would not parse.
        """
        parts, at = [], 0
        for edit in sorted(dict.fromkeys(edits), key=lambda each: (each.start, each.end)):
            if edit.start < at:
                raise Spoiled("edits overlap")
            parts += [self.text[at : edit.start], edit.new]
            at = edit.end
        text = "".join([*parts, self.text[at:]])
        try:
            return Source(text, encoding=self._encoding, bom=self._bom)
        except Unreadable as error:
            raise Spoiled(error.reason) from None

    @cached_property
    def lines(self) -> Sequence[int]:
        """Where each line starts. Only what Python takes for a line end is one."""
        return [0, *(found.end() for found in _LINE_END.finditer(self.text))]

    @cached_property
    def newline(self) -> str:
        """The line end this file uses."""
        found = _LINE_END.search(self.text)
        return found.group() if found else "\n"

    def line_of(self, offset: int) -> int:
        """The line, from 1, of a character."""
        return bisect.bisect_right(self.lines, offset)

    def line_text(self, line: int) -> str:
        """A line's text, without the spaces around it."""
        return self.text[self.line_start(line) : self.line_end(line)].strip()

    def line_start(self, line: int) -> int:
        """Where a line starts."""
        return self.lines[line - 1]

    def line_end(self, line: int) -> int:
        """Where the next line starts: the end of a line with its line end."""
        return self.lines[line] if line < len(self.lines) else len(self.text)

    def offset(self, line: int, column: int) -> int:
        """The character at a line, from 1, and a column that counts bytes of UTF-8, as `ast` has them."""
        start = self.line_start(line)
        text = self.text[start : self.line_end(line)]
        if text[:column].isascii():
            return start + column
        return start + len(text.encode("utf-8")[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node is."""
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined] # every node that is asked about has a place
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined] # the same
        return self.offset(line, column), self.offset(end_line, end_column)

    def segment(self, node: ast.AST) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """All tokens, comments included."""
        return list(self._tokens())

    def tokens_from(self, start: int) -> Iterator[Token]:
        """The tokens that start at or after a character."""
        for at in range(bisect.bisect_left(self._starts, start), len(self.tokens)):
            yield self.tokens[at]

    @cached_property
    def comments(self) -> Sequence[Token]:
        """All comments."""
        return [token for token in self.tokens if token.type == tokenize.COMMENT]

    @cached_property
    def _starts(self) -> Sequence[int]:
        return [token.start for token in self.tokens]

    def _tokens(self) -> Iterator[Token]:
        # tokenize splits lines as the parser does only if it is handed them.
        ends = [*self.lines[1:], len(self.text)]
        lines = iter([self.text[start:end] for start, end in zip(self.lines, ends, strict=True)])
        for each in tokenize.generate_tokens(lambda: next(lines, "")):
            if each.start[0] > len(self.lines):
                continue
            start, end = self.lines[each.start[0] - 1] + each.start[1], len(self.text)
            if each.end[0] <= len(self.lines):
                end = self.lines[each.end[0] - 1] + each.end[1]
            yield Token(each.type, each.string, start, end)


def strings_joined(text: str) -> bool:
    """Whether an expression's text is more than one token: a literal that is one token is not."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return True
    return len([token for token in tokens if token.string.strip() and token.type != tokenize.COMMENT]) != 1


def _parsed(text: str) -> ast.Module:
    try:
        tree = parsed(text)
    except SyntaxError as error:
        raise Unreadable(error.lineno or 0, f"it does not parse as {READ_AS}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(0, f"it does not parse as {READ_AS}: {str(error) or type(error).__name__}") from None
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _DEPTH:
            raise Unreadable(getattr(node, "lineno", 0), "it is nested too deeply")
        stack += ((child, depth + 1) for child in ast.iter_child_nodes(node))
    return tree
