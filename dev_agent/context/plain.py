"""Text made harmless to show: no control characters, no marks that reorder or hide what stands around them.

What is taken out is shown as the escape Python would write for it, so nothing vanishes and a reader sees that something
unusual is there. The result can always be encoded: lone surrogates (bytes of names that are not UTF-8) are escaped too.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LINE_END = re.compile(r"\r\n|\r|\n")


def one_line(text: str) -> str:
    """`text` on one line, every character printable: for names, and for lines of which only the sense counts."""
    return text if text.isprintable() else "".join(map(_printable, text))


def source_line(line: str) -> str:
    """A line of a file: tabs and the spaces of any script stay as they are, because an edit has to repeat them."""
    return line if line.isprintable() else "".join(map(_visible, line))


def lines_of(text: str) -> list[str]:
    """The lines of a file's text as Python and its tools count them; a last line break begins no further line."""
    lines = _LINE_END.split(text)
    return lines[:-1] if not lines[-1] else lines


def _printable(character: str) -> str:
    return character if character.isprintable() else _escaped(character)


def _visible(character: str) -> str:
    keeps = character == "\t" or unicodedata.category(character) not in _UNSEEN
    return character if keeps else _escaped(character)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
