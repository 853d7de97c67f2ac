"""What a command answers: lines of styled text for people and one object for programs, built together.

A page is a value; it knows nothing of terminals. `span` and `prose` escape what they are given, so a page
cannot carry a control character to the screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from dev_agent.cli.output.escape import escape_line, escape_lines
from dev_agent.values import dataclass

Json = Any


class Style(StrEnum):
    """What a piece of text means; `terminal.Terminal` decides how that looks."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NAME = "name"


class Fit(StrEnum):
    """What a terminal does with a line longer than it is wide. In a pipe every line stays whole."""

    CUT = "cut"
    WRAP = "wrap"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of escaped text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line: a row of a table (cut), a sentence (wrapped between words, continued at `indent`), or a quotation."""

    spans: tuple[Span, ...] = ()
    indent: int = 0
    fit: Fit = Fit.CUT

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """An answer: `data` is the one object of `--json`, `lines` are for people."""

    data: Mapping[str, Json]
    lines: tuple[Line, ...]


def span(text: str, style: Style = Style.PLAIN) -> Span:
    """`text`, whoever wrote it, on one line and harmless."""
    return Span(escape_line(text), style)


def line(*spans: Span | str, indent: int = 0) -> Line:
    """A line that is cut, not wrapped, where the terminal ends."""
    parts = tuple(part if isinstance(part, Span) else span(part) for part in spans)
    return Line(spans=(Span(" " * indent), *parts) if indent else parts, indent=indent)


def prose(
    text: str, *, style: Style = Style.PLAIN, indent: int = 0, lead: Sequence[Span] = ()
) -> tuple[Line, ...]:
    """Sentences, wrapped to the terminal; line breaks in `text` stay, with their own indentation."""
    lines = []
    for number, content in enumerate(escape_lines(text)):
        inner = indent + len(content) - len(content.lstrip(" "))
        first = tuple(lead) if number == 0 else ()
        margin = (Span(" " * inner),) if inner else ()
        lines.append(
            Line(spans=(*margin, *first, Span(content.lstrip(" "), style)), indent=inner, fit=Fit.WRAP)
        )
    return tuple(lines)


def quotation(text: str, *, style: Style = Style.PLAIN, indent: int = 0) -> tuple[Line, ...]:
    """Lines of a program or of its output: kept as they are, because a break of ours would change their meaning."""
    margin = Span(" " * indent)
    return tuple(
        Line(spans=(margin, Span(content, style)), indent=indent, fit=Fit.WHOLE)
        for content in escape_lines(text)
    )


def table(rows: Iterable[Sequence[Span]], *, indent: int = 0) -> tuple[Line, ...]:
    """Rows with their columns aligned; the last column keeps its own length."""
    kept = [list(row) for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*(row[:-1] for row in kept), strict=False)]
    return tuple(line(*_padded(row, widths), indent=indent) for row in kept)


def _padded(row: Sequence[Span], widths: Sequence[int]) -> Iterable[Span]:
    for cell, width in zip(row[:-1], widths, strict=False):
        yield cell
        yield Span(" " * (width - width_of(cell) + 2))
    yield row[-1]


def width_of(cell: Span | str) -> int:
    """How many columns a terminal gives the text: wide characters take two, combining marks none."""
    text = cell if isinstance(cell, str) else cell.text
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Me":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def seconds(ms: int) -> str:
    """A duration for people: `84 ms`, `1.2 s`, `3 min 05 s`."""
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    return f"{ms // 60_000} min {ms % 60_000 // 1000:02d} s"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
