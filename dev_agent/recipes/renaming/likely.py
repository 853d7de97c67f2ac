"""Which mentions of a module's name can mean the module; the others are words of a sentence.

Modules are called like English words (`more`, `core`, `utils`), and their name in running text says nothing. A mention
counts where it is written as code or as a file: dotted, quoted, in a path, imported, run with `-m`, or where the line
lists nothing but names, as toctrees and settings do. What is doubtful counts: a line too many costs a look.
"""

from __future__ import annotations

import re

from dev_agent.recipes.renaming.project import word


def as_a_module(name: str) -> re.Pattern[bytes]:
    """Return the expression whose group `name` is a mention that can mean the module."""
    here = rb"(?P<name>" + word(name) + rb")"
    ways = (
        rb"(?<=[0-9A-Za-z_]\.)" + word(name),
        rb"(?<=[/\\\"'`:<=@])" + word(name),
        word(name) + rb"(?=[/\\\"'`>]|[.:][A-Za-z_])",
        rb"(?<=-m )" + word(name),
    )
    near = rb"(?P<near>" + rb"|".join(ways) + rb")"
    names = rb"(?:[\w.*]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*"
    imported = rb"\bc?import[ \t]+\(?" + names + here
    taken_from = rb"\bfrom[ \t]+" + here.replace(b"name", b"source", 1) + rb"(?=[ \t]+c?import\b)"
    key = rb"(?:[\w.-]+[ \t]*[:=][ \t]*|\.\.[ \t]+[\w:-]+::[ \t]+)?"
    listed = (
        rb"^[ \t]*(?:[-*][ \t]+)?"
        + key
        + names
        + here.replace(b"name", b"alone", 1)
        + rb"(?=[ \t]*(?:,|\r?$))"
    )
    return re.compile(rb"|".join((near, imported, taken_from, listed)), re.MULTILINE)


def starts(pattern: re.Pattern[bytes], content: bytes) -> list[int]:
    """Return where `as_a_module` found the name."""
    return [found.start(found.lastgroup or 0) for found in pattern.finditer(content)]
