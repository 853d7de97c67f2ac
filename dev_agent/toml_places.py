"""In which line of a TOML text a field stands, for messages: Python's parser keeps no positions.

Works on texts that the parser has accepted, so it need not find faults, only keys: it steps over strings,
comments and brackets, reads table headers, and notes the line of every key and every element of an array of
tables. What stands inside a value (a key of an inline table, an element of a list) has the line where the
value begins. A wrong line could only mislead a reader, never a decision.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

_STRING = r'"""(?:\\.|(?!""").)*"{3,5}' + r"|'''(?:(?!''').)*'{3,5}" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'"
_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<comment>\#[^\n]*)|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<end>\n)", re.DOTALL
)
_HEADER = re.compile(r"[ \t]*(\[\[?)(.*?)\]\]?[ \t]*(?:#.*)?\r?")
# A word gives nothing back: cut into pieces in every way there is, a line without `=` would never end.
_KEY = re.compile(r"""[ \t]*+((?:[A-Za-z0-9_-]++|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+'|[ \t.])+?)[ \t]*=""")

Lines = Mapping[str, int]


def lines_of(text: str) -> Lines:
    """The line (from 1) of every field, by its path as faults write it: `rules[0].when`, `on.tests_removed`."""
    found: dict[str, int] = {}
    elements: dict[str, int] = {}
    table = ""
    for number, statement in _statements(text):
        header = (
            _HEADER.fullmatch(statement.partition("\n")[0])
            if statement.lstrip(" \t").startswith("[")
            else None
        )
        if header is not None:
            table = _resolved(_parts(header[2]), elements, opens=header[1] == "[[")
            found.setdefault(table, number)
            continue
        key = _KEY.match(statement)
        if key is not None:
            prefix = f"{table}." if table else ""
            found.setdefault(prefix + ".".join(_parts(key[1])), number)
    return found


def line_of(lines: Lines, field: str) -> int | None:
    """The line of a field, or of the nearest part of its path that has one."""
    while field:
        if field in lines:
            return lines[field]
        field = re.sub(r"(?:\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)\Z", "", field)
    return None


def _resolved(parts: list[str], elements: dict[str, int], *, opens: bool) -> str:
    """The path of a header: each part that is an array of tables means its latest element."""
    path = ""
    for position, part in enumerate(parts):
        path = f"{path}.{part}" if path else part
        if opens and position == len(parts) - 1:
            elements[path] = elements.get(path, -1) + 1
        if path in elements:
            path = f"{path}[{elements[path]}]"
    return path


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each key with its whole value, and the line where it begins."""
    start, line, first, depth = 0, 1, 1, 0
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if token.lastgroup == "end" and depth == 0:
            if text[start : token.start()].strip():
                yield first, text[start : token.start()]
            start, first = token.end(), line
    if text[start:].strip():
        yield first, text[start:]


def _parts(key: str) -> list[str]:
    """The parts of a dotted key, quotes and escapes undone, by the parser itself."""
    parts: list[str] = []
    table: object = tomllib.loads(f"{key} = 0")
    while isinstance(table, dict):
        (name, table), *_ = table.items()
        parts.append(name)
    return parts
