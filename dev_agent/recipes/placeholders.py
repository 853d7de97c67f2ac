"""The placeholders of `%` and `.format` texts, as the parts of an f-string.

A text becomes a list of literal parts and fields, or is not understood: a field that would not mean exactly the same
in an f-string is no field of ours.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Final

from dev_agent.values import dataclass

_PERCENT: Final = re.compile(
    r"%(?:(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<kind>[srdiuxXofFeEgGa])|(?P<percent>%))"
)
_FIELD: Final = re.compile(r"(?P<argument>\d*|[^\W\d]\w*)(?P<attributes>(?:\.[^\W\d]\w*)*)")


@dataclass(frozen=True, slots=True)
class Field:
    """What is put at a place. `argument`: its number or name; `needs`: types for which it is exact, all if none."""

    argument: int | str
    attributes: str = ""
    conversion: str = ""
    spec: str = ""
    needs: frozenset[str] = frozenset()


class NotUnderstood(Exception):
    """Why a text is left."""


def percent_parts(text: str) -> Iterator[str | Field]:
    """The parts of a text for `%`."""
    at = number = 0
    for found in _PERCENT.finditer(text):
        if "%" in text[at : found.start()]:
            break
        yield text[at : found.start()]
        at = found.end()
        if found["percent"]:
            yield "%"
            continue
        yield _percent_field(number, found["flags"], found["width"], found["precision"], found["kind"])
        number += 1
    if "%" in text[at:]:
        raise NotUnderstood("a placeholder has no exact counterpart")
    yield text[at:]


def _percent_field(number: int, flags: str, width: str, precision: str | None, kind: str) -> Field:
    if kind in "sra":
        if set(flags) - {"-"}:
            raise NotUnderstood("a placeholder has no exact counterpart")
        align = ("<" if "-" in flags else ">") if width else ""
        cut = "" if precision is None else f".{precision or '0'}"
        return Field(number, conversion=kind, spec=f"{align}{width}{cut}")
    if kind in "diuxXo" and precision is not None:
        raise NotUnderstood("a placeholder has no exact counterpart")
    if precision == "":
        precision = "0"
    kind = "d" if kind in "diu" else kind
    if "#" in flags and kind not in "xo":
        raise NotUnderstood("a placeholder has no exact counterpart")
    if "0" in flags and "-" in flags:
        flags = flags.replace("0", "")
    sign = "+" if "+" in flags else " " if " " in flags else ""
    align = "<" if "-" in flags and width else ""
    spec = f"{align}{sign}{'#' if '#' in flags else ''}{'0' if '0' in flags and width else ''}{width}"
    cut = "" if precision is None else f".{precision}"
    needs = {"int", "bool"} if kind in "dxXo" else {"int", "float", "bool"}
    return Field(number, spec=f"{spec}{cut}{kind}", needs=frozenset(needs))


def format_parts(text: str) -> Iterator[str | Field]:
    """The parts of a text for `.format`."""
    number = 0
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        raise NotUnderstood("its placeholders are not valid") from None
    numbered = any(name is not None and name[:1].isdigit() for _, name, _, _ in parsed)
    for literal, name, spec, conversion in parsed:
        yield literal
        if name is None:
            continue
        found = _FIELD.fullmatch(name)
        if not found or any(mark in (spec or "") for mark in "{}'\"\\\n"):
            raise NotUnderstood("a placeholder has no exact counterpart")
        argument: int | str = found["argument"]
        if argument == "":
            if numbered:
                raise NotUnderstood("it mixes numbered and plain placeholders")
            argument, number = number, number + 1
        elif str(argument).isdigit():
            argument = int(argument)
        yield Field(argument, attributes=found["attributes"], conversion=conversion or "", spec=spec or "")
