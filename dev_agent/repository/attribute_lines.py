"""Which files a `.gitattributes` may have written otherwise than as their bytes are. Pure, and never too generous.

Not git's own matching: a line counts as reaching a path unless it is plain that it does not, and as changing its bytes
unless it is plain that it does not. What is plain: attributes that have nothing to do with writing a file; the forms
below, with which git writes bytes as they are where the settings convert nothing; patterns that are the end of a
name (`*.png`, `uv.lock`). A macro may stand for anything, so a file that defines one reaches every path.
"""

from __future__ import annotations

import re

_CHANGING = (b"text", b"crlf", b"eol", b"ident", b"filter", b"working-tree-encoding")
_HARMLESS = frozenset(
    {
        b"text", b"-text", b"!text", b"text=auto", b"-crlf", b"!crlf", b"eol=lf", b"!eol", b"-ident", b"!ident",
        b"-filter", b"!filter", b"!working-tree-encoding",
    }
)  # fmt: skip
_BLANKS = re.compile(rb"[ \t\r]+")
_END_OF_NAME = re.compile(rb"\*?([A-Za-z0-9_.-]+)")

Reach = tuple[bytes, ...]
"""Ends of names, in lower case, whose files may be changed on the way out; the empty end is that of every name."""

EVERYTHING: Reach = (b"",)


def reach_of(data: bytes) -> Reach:
    """The reach of an attribute file with these bytes."""
    if b"[attr]" in data or b"\0" in data:
        return EVERYTHING
    found = (_reach(line.strip(b" \t\r")) for line in data.split(b"\n"))
    return tuple(dict.fromkeys(end for end in found if end is not None))


def reaches(reach: Reach, path: str) -> bool:
    """True if the file at `path`, in or below the folder of the attribute file, may be meant."""
    # Git compares without regard to case if `core.ignoreCase` says so.
    return path.rpartition("/")[2].encode("utf-8", "surrogateescape").lower().endswith(reach)


def _reach(line: bytes) -> bytes | None:
    """The end of the names that a line may reach, None if it changes no bytes."""
    if not line or line.startswith(b"#"):
        return None
    if line.startswith(b'"'):  # a quoted pattern: where it ends is git's business
        return b"" if any(name in line for name in _CHANGING) else None
    pattern, *attributes = _BLANKS.split(line)
    if not any(map(_changes, attributes)):
        return None
    end = _END_OF_NAME.fullmatch(pattern)
    return end[1].lower() if end else b""


def _changes(attribute: bytes) -> bool:
    return attribute.lstrip(b"-!").partition(b"=")[0] in _CHANGING and attribute not in _HARMLESS
