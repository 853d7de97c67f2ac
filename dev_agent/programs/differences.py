"""What differs between two things that should mean the same: a policy, a program, then and now.

A digest says that something differs; a person wants to know what. Compared is the canonical content, so neither
layout nor comments count. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SHOWN = 8


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields in which two contents differ, as dotted paths; a list counts as one field."""
    return tuple(_differing(one, other, ""))


def in_words(found: tuple[str, ...]) -> str:
    """The first of them, and how many more."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _differing(one: Mapping[str, Any], other: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in sorted({*one, *other}):
        mine, yours = one.get(key), other.get(key)
        if mine == yours:
            continue
        where = f"{path}{key}"
        if isinstance(mine, Mapping) and isinstance(yours, Mapping):
            yield from _differing(mine, yours, f"{where}.")
        else:
            yield where
