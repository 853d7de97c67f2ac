"""What pytest says when it does not get as far as a verdict: first the cause, then the end of its output. Pure.

The cause is seldom the last line. pytest ends a refusal with its `rootdir`, an internal error with whatever the
exception's text ended with, and a conftest or plugin that does not import with a traceback, its last line marked `E`.
"""

from __future__ import annotations

import re

from dev_agent.gates.bench import tail_of

_INTERNAL = re.compile(r"^INTERNALERROR> ?(.*)$", re.MULTILINE)
_FRAME = re.compile(r'^ +File "(.+)", line (\d+), in ')
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?::|$)")
_REFUSED = re.compile(r"^.*?\berror: (.+)$", re.MULTILINE)
_MARKED = re.compile(r"^E +(\S.*)$", re.MULTILINE)
_LONGEST = 300


def cause(output: bytes) -> str:
    """One line: what went wrong, by pytest's own words; "" if none of its forms is there."""
    text = output.decode(errors="replace")
    internal = _INTERNAL.findall(text)
    if internal:
        return _raised(internal)[:_LONGEST]
    for form in (_REFUSED, _MARKED):
        found = form.findall(text)
        if found:
            return str(found[-1]).strip()[:_LONGEST]
    return ""


def told(output: bytes) -> str:
    """The cause, if it can be told, and the end of the output under it."""
    said, tail = cause(output), tail_of(output)
    return f"{said}\n{tail}" if said else tail


def _raised(lines: list[str]) -> str:
    """The last exception of a traceback, with the file that raised it."""
    where, said = "", ""
    for line in lines:
        frame = _FRAME.match(line)
        if frame:
            where, said = f"{frame.group(1)}:{frame.group(2)}", ""
        elif where and not said and _RAISED.match(line):
            said = line.strip()
    return f"{said} ({where})" if said else (lines[-1].strip() or "pytest itself raised an error")
