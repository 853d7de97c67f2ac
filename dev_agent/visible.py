"""Makes text that others wrote safe to show: on a terminal, and in the Markdown and the logs of a code host.

A terminal obeys what is printed on it: an escape sequence in a file name, a test's output or a diff can
move the cursor over the true verdict, retitle the window or type into the shell; a bidirectional override
makes code read as other code. Here every character that is not ink becomes its visible escape. Callers
never print such text without passing here; `page.span` does it for all of them.

JSON and patches that are piped to a program are not for the eye and stay what they are.
"""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidirectional marks, zero widths, tags), surrogates, private, unassigned, separators."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_line(text: str) -> str:
    """`text` on one line, nothing in it acting on the terminal. Bytes that are no UTF-8 show as `\\xff`."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def escape_lines(text: str) -> list[str]:
    """The lines of `text` (split at `\\n` only), each escaped; tabs become spaces, for columns to line up."""
    return [escape_line(line.removesuffix("\r").expandtabs(8)) for line in text.split("\n")]


def _shown(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # how os.fsdecode keeps a byte that is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
