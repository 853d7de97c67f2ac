"""A place: where in a change set something was seen, in a form that is safe to store and to show.

A place's text comes from the change set, so it is untrusted: it is cut, credentials in it are blotted out,
and every character that does not show itself is written as an escape, so that an excerpt can neither reorder
a terminal's line nor hide what it reports.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from dev_agent.policy.secret_patterns import redact
from dev_agent.values import dataclass

_EXCERPT = 160


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """`path` as in the change set; `line` counted from 1, None for the whole file; `text` a short, safe
    excerpt."""

    path: str
    line: int | None = None
    text: str = ""

    def to_json(self) -> Mapping[str, str | int | None]:
        """JSON without lone surrogates: bytes of a path that are no UTF-8 appear as \\xNN."""
        return {"path": shown_path(self.path), "line": self.line, "text": self.text}


def excerpt(text: str) -> str:
    """A line as it may be shown: blotted, cut to 160 characters, invisible characters escaped."""
    # Cut before blotting would halve a key and hide it from the expressions; long lines are cut generously
    # first.
    line = redact(text[:4000].strip())
    cut = line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"
    return cut if cut.isascii() and cut.isprintable() else "".join(map(_visible, cut))


def shown_path(path: str) -> str:
    """A path as valid Unicode: what os.fsdecode could not decode is written as \\xNN."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape" if _roundtrips(path) else "replace").decode(
        "utf-8", "backslashreplace"
    )


def _roundtrips(path: str) -> bool:
    return all(not 0xD800 <= ord(char) <= 0xDFFF or 0xDC80 <= ord(char) <= 0xDCFF for char in path)


def _visible(char: str) -> str:
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return (
            char.encode("ascii", "backslashreplace").decode("ascii")
            if ord(char) > 127
            else f"\\x{ord(char):02x}"
        )
    return char
