"""Where text goes: a stream, its colours, its width. Decided once from the environment and the stream.

`NO_COLOR` (not empty) forbids colour, `FORCE_COLOR` (not empty, not 0) asks for it even in a pipe,
`TERM=dumb` has neither colour nor live display. A reader that goes away (`| head`) never ends a command: a
transaction must not stop because nobody watches it, so writing goes silent and the verdict stands. An answer
that could not be written for another reason (a full disk) is said to be missing, once the verdict stands;
progress that could not be written is not worth a word.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import groupby
from typing import TextIO

from dev_agent.cli.output.page import Fit, Line, Span, Style, width_of
from dev_agent.errors import EnvironmentFault
from dev_agent.values import dataclass

_CODES = {
    Style.PLAIN: "",
    Style.STRONG: "1",
    Style.DIM: "2",
    Style.GOOD: "32",
    Style.BAD: "31",
    Style.WARN: "33",
    Style.NAME: "36",
}
_NARROWEST, _WIDEST = 40, 100


@dataclass(kw_only=True, slots=True)
class Terminal:
    """One output stream. `is_terminal` is the truth about it, `colour` and `wraps` are what to do about it.

    `answers` is True for the stream whose loss the user has to hear of.
    """

    stream: TextIO
    is_terminal: bool
    colour: bool
    dumb: bool
    width: int
    wraps: bool
    answers: bool = False
    _gone: bool = field(default=False, init=False)

    def write_line(self, line: Line) -> None:
        """Write a line, wrapped or cut to the terminal. In a pipe it stays one: a program may search it."""
        rows: Iterable[tuple[Span, ...]] = (line.spans,)
        if line.fit is Fit.WRAP and self.wraps:
            rows = _wrapped(line, self.width)
        elif line.fit is Fit.CUT and self.is_terminal:
            rows = (_cut(line.spans, self.width),)
        for row in rows:
            self.write_text("".join(self._painted(part) for part in _joined(row)).rstrip(" ") + "\n")

    def write_text(self, text: str) -> None:
        """Write text as it is; what the stream's encoding lacks becomes an escape, never an exception."""
        if self._gone:
            return
        encoding = self.stream.encoding or "utf-8"
        safe = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            self.stream.write(safe)
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are, for a program to read."""
        if self._gone:
            return
        try:
            self.stream.flush()
            self.stream.buffer.write(data)
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        """Go silent; raise EnvironmentFault if what is lost is an answer somebody still waits for."""
        self._leave()
        if self.answers and isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise EnvironmentFault(
                f"the answer could not be written: {error.strerror}",
                hint="what was decided stands; read it with: dev-agent show last",
            ) from error

    def _leave(self) -> None:
        """The reader is gone: whatever the interpreter flushes on its way out must not raise either."""
        self._gone = True
        try:
            number = self.stream.fileno()
        except (OSError, ValueError):
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)

    def _painted(self, part: Span) -> str:
        code = _CODES[part.style]
        return f"\x1b[{code}m{part.text}\x1b[0m" if self.colour and code and part.text else part.text


def terminal_for(stream: TextIO, environ: Mapping[str, str]) -> Terminal:
    """What is known about `stream`: sys.stdout or sys.stderr."""
    try:
        is_terminal = stream.isatty()
    except ValueError:  # closed
        is_terminal = False
    dumb = environ.get("TERM") == "dumb"
    forced = environ.get("FORCE_COLOR", "") not in {"", "0"}
    columns = shutil.get_terminal_size((80, 24)).columns if is_terminal or "COLUMNS" in environ else 80
    return Terminal(
        stream=stream,
        is_terminal=is_terminal,
        colour=(forced or (is_terminal and not dumb)) and not environ.get("NO_COLOR"),
        dumb=dumb,
        width=min(max(columns, _NARROWEST), _WIDEST),
        wraps=is_terminal or "COLUMNS" in environ,
    )


def standard_terminals(environ: Mapping[str, str]) -> tuple[Terminal, Terminal]:
    """Standard output and standard error."""
    answers, progress = terminal_for(sys.stdout, environ), terminal_for(sys.stderr, environ)
    answers.answers = True
    return answers, progress


def _cut(spans: tuple[Span, ...], width: int) -> tuple[Span, ...]:
    """The spans up to `width` columns, an ellipsis where something is missing."""
    if sum(map(width_of, spans)) <= width:
        return spans
    kept: list[Span] = []
    room = width - 1
    for part in spans:
        if width_of(part) <= room:
            kept.append(part)
            room -= width_of(part)
            continue
        text = part.text
        while width_of(text) > room:
            text = text[:-1]
        kept.append(Span(text + "…", part.style))
        break
    return tuple(kept)


def _wrapped(line: Line, width: int) -> Iterable[tuple[Span, ...]]:
    """The line's words in rows of at most `width` columns, continued at the line's indentation."""
    row: list[Span] = []
    used = 0
    margin = Span(" " * line.indent)
    for part in _words(line.spans):
        blank = not part.text.strip(" ")
        if used + width_of(part) > width and used > line.indent and not blank:
            yield tuple(row)
            row, used = [margin], line.indent
        if blank and row and row[-1] is margin and used == line.indent and used:
            continue
        row.append(part)
        used += width_of(part)
    yield tuple(row)


def _joined(row: Iterable[Span]) -> Iterable[Span]:
    """The row with neighbours of one style made one, so that a sentence is one stroke of the brush."""
    for style, parts in groupby(row, key=lambda part: part.style):
        yield Span("".join(part.text for part in parts), style)


def _words(spans: Iterable[Span]) -> Iterable[Span]:
    """The spans cut into words and the blanks between them."""
    for part in spans:
        word = ""
        for character in part.text:
            if word and (character == " ") != (word[-1] == " "):
                yield Span(word, part.style)
                word = ""
            word += character
        if word:
            yield Span(word, part.style)
