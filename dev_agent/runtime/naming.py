"""What a name may look like in a program, and the nearest one to a name nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from keyword import iskeyword

_SHOWN = 12
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def is_name(text: str) -> bool:
    """Return whether `text` can name a state, branch, outcome, action or fact, and stand in a condition."""
    return bool(_NAME.match(text)) and not iskeyword(text)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the known name closest to `name`, or the known names, or "" if there are none."""
    names = sorted(known)
    close = get_close_matches(name[:64], names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"known: {', '.join(names[:_SHOWN])}{more}" if names else ""
