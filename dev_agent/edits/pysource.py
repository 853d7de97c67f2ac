"""What must hold for Python source after an edit: it parses, and it is UTF-8.

A PEP 263 cookie is refused when an edit brings it: with `raw_unicode_escape` or `utf-7` the text that a
reviewer and every tool here sees is not the program that runs.
"""

from __future__ import annotations

import re
from typing import Final

from dev_agent.python_text import parsed

_SUFFIXES: Final = (".py", ".pyi", ".pyw")
# PEP 263's own expression, on bytes, tried on the first two lines.
_COOKIE: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK: Final = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_SHEBANG: Final = re.compile(rb"^#!.*python")
_UTF8: Final = frozenset({"utf-8", "utf8", "u8", "utf"})


def is_python(path: str, content: bytes) -> bool:
    """Return whether a file is Python source, by its suffix or its first line."""
    return path.endswith(_SUFFIXES) or _SHEBANG.match(content[:200]) is not None


def cookie(content: bytes) -> str | None:
    """Return the encoding a file declares, None if none or UTF-8."""
    lines = (
        content.removeprefix(b"\xef\xbb\xbf")
        .replace(b"\r\n", b"\n")
        .replace(b"\r", b"\n")
        .split(b"\n", 2)[:2]
    )
    for line in lines:
        found = _COOKIE.match(line)
        if found:
            name = found.group(1).decode("ascii", "replace").lower().replace("_", "-")
            return None if name in _UTF8 or name.startswith("utf-8-") else name
        if not _BLANK.match(line):
            return None
    return None


def syntax_fault(content: bytes) -> tuple[int, int, str] | None:
    """Return (line, column, message) of what keeps this Python from parsing source; None if it parses."""
    try:
        parsed(content)
    except SyntaxError as error:
        return error.lineno or 0, error.offset or 0, error.msg
    except (ValueError, RecursionError, MemoryError, LookupError) as error:
        return 0, 0, f"{type(error).__name__}: {error}"
    return None
