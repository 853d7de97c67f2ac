"""File names in diffs: git's C-style quoting, prefixes, timestamps, and the `diff --git` line.

Format: git's diff-format documentation, "Generating patch text with -p", and `quote.c`. GNU diff puts a tab
and a timestamp after a name; git puts a bare tab after a name with spaces.
"""

from __future__ import annotations

import re
from typing import Final

DEV_NULL: Final = "/dev/null"
_TIMESTAMP: Final = re.compile(r" \d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d.*)?$")
_EPOCH: Final = re.compile(
    r"[ \t](?P<day>1969-12-31|1970-01-01) (?P<hours>[0-2]\d):(?P<minutes>[0-5]\d):00(?:\.0+)?"
    r" (?P<sign>[-+])(?P<off>[0-2]\d):?(?P<set>[0-5]\d)$"
)
_ESCAPES: Final = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_NAMED: Final = {code: letter for letter, code in _ESCAPES.items()}
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OCTAL: Final = re.compile(r"[0-3][0-7]{2}")


class BadName(ValueError):
    """A quoted name is malformed."""


def name_in(text: str) -> str:
    """Return the name in what follows `--- `, `+++ `, `rename from ` …, prefix included. Raises BadName."""
    if text.startswith('"'):
        return unquoted(text)[0]
    return _TIMESTAMP.sub("", text.partition("\t")[0]).rstrip(" ")


def is_time_of_no_file(line: str) -> bool:
    """Return whether a `---` or `+++` line ends in the instant 0, in any zone.

    GNU diff writes it with `-N` for the side that has no file; `git apply` and `patch` read it the same way.
    """
    found = _EPOCH.search(line)
    if found is None:
        return False
    offset = 60 * int(found["off"]) + int(found["set"])
    minutes = 60 * int(found["hours"]) + int(found["minutes"]) - (offset if found["sign"] == "+" else -offset)
    return minutes == (0 if found["day"] == "1970-01-01" else 24 * 60)


def unquoted(text: str) -> tuple[str, str]:
    """Return the name that `text`, beginning with a double quote, quotes, and the text after it.

    Raises BadName.
    """
    found = _QUOTED.match(text)
    if found is None:
        raise BadName("a quoted name without its closing quote")
    return _decoded(found.group(1)), text[found.end() :]


def _decoded(body: str) -> str:
    raw = bytearray()
    at = 0
    while at < len(body):
        if body[at] != "\\":
            raw += body[at].encode("utf-8", "surrogateescape")
            at += 1
        elif body[at + 1] in _ESCAPES:
            raw.append(_ESCAPES[body[at + 1]])
            at += 2
        elif octal := _OCTAL.match(body, at + 1):
            raw.append(int(octal.group(), 8))
            at += 4
        else:
            raise BadName("an unknown escape in a quoted name")
    return raw.decode("utf-8", "surrogateescape")


def quoted(name: str) -> str:
    """Return `name` as git writes it in a diff: quoted if it holds anything but plain ASCII."""
    raw = name.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return name
    return '"' + "".join(_quoted_byte(byte) for byte in raw) + '"'


def _quoted_byte(byte: int) -> str:
    if byte in _NAMED:
        return "\\" + _NAMED[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def common_name(old: str, new: str) -> str | None:
    """Return the path two sides of a diff name, without prefixes (a/ and b/, or any directory each).

    None if they name two files. Equal names are taken as they are: that is a diff made without prefixes.
    """
    if old == new:
        return old
    _, _, old_rest = old.partition("/")
    _, _, new_rest = new.partition("/")
    if old_rest and old_rest == new_rest:
        return old_rest
    if old_rest == new and old.startswith(("a/", "b/")):
        return new
    if new_rest == old and new.startswith(("a/", "b/")):
        return old
    return None


def git_line_name(rest: str) -> str | None:
    """Return the path that `diff --git ` + `rest` names, None if it names two or cannot be told."""
    try:
        pair = _pair(rest)
    except BadName:
        return None
    return common_name(*pair) if pair else None


def _pair(rest: str) -> tuple[str, str] | None:
    if rest.startswith('"'):
        old, after = unquoted(rest)
        return old, name_in(after.removeprefix(" "))
    if rest.endswith('"') and ' "' in rest:
        old, _, after = rest.partition(' "')
        return old, unquoted('"' + after)[0]
    # Names may hold spaces. Both sides have the same length unless the file was renamed, so the middle
    # divides them.
    middle = len(rest) // 2
    return (rest[:middle], rest[middle + 1 :]) if rest[middle : middle + 1] == " " else None
