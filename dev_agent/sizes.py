"""Sizes as people write and read them."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def parse_size(text: str) -> int:
    """Bytes of `500MB` (1000s), `2GiB` (1024s) or `4096`. Raises ValueError for anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a size; write a number and a unit, such as 500MB or 2GiB")
    number, unit, binary = found.groups()
    return int(float(number) * (_STEP if binary else 1000) ** _POWERS.get((unit or "").lower(), 0))


def said_size(number: int) -> str:
    """Bytes as people read them: `3.4 MiB`."""
    value, unit = float(number), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{number} B"
