"""Reading what mypy printed, and placing each finding in its definition. Pure.

Two forms are read: one JSON object a line (`-O json`, mypy 1.11 and later) and the text form before that,
`file:line:column: error: message  [code]`. A line that is neither counts as unread; the caller decides whether
an unread line in a run that failed means a crash. Notes without a line (mypy's `warn_unused_configs` about sections
of a configuration) are read, and belong to no finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from dev_agent.enclosing import Spans, definitions, enclosing
from dev_agent.gates.delta import Finding
from dev_agent.values import dataclass

_TEXT = re.compile(
    r"^(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<severity>error|note|warning): (?P<message>.*?)"
    r"(?:  \[(?P<code>[a-z0-9-]+)\])?$"
)
_TEXT_NO_LINE = re.compile(
    r"^(?P<path>[^:]+): (?P<severity>error|note): (?P<message>.*?)(?:  \[(?P<code>[a-z0-9-]+)\])?$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """The errors, with the notes that follow them as their detail, and the lines that are neither."""

    findings: tuple[Finding, ...]
    unread: tuple[str, ...]


def read_findings(output: str) -> Said:
    """What a run of mypy printed to its standard output."""
    findings: list[Finding] = []
    unread: list[str] = []
    for line in output.splitlines():
        if not line.strip():
            continue
        read = _from_json(line) or _from_text(line)
        if read is None:
            unread.append(line)
        elif read[0] == "error":
            findings.append(read[1])
        elif findings and read[1].line > 0:
            # What has no line is about a file as a whole, e.g. unused sections of a configuration, which mypy prints
            # last and in the text form whatever form was asked for: it explains no error before it.
            last = findings[-1]
            findings[-1] = replace(last, detail=f"{last.detail}\n{read[1].message}".strip())
    return Said(findings=tuple(findings), unread=tuple(unread))


def _from_json(line: str) -> tuple[str, Finding] | None:
    if not line.startswith("{"):
        return None
    try:
        data = json.loads(line)
        return str(data["severity"]), Finding(
            path=str(data["file"]),
            line=int(data["line"]),
            column=int(data["column"]),
            code=str(data["code"] or ""),
            message=str(data["message"]),
            detail=str(data.get("hint") or ""),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _from_text(line: str) -> tuple[str, Finding] | None:
    found = _TEXT.match(line) or _TEXT_NO_LINE.match(line)
    if found is None:
        return None
    parts = found.groupdict()
    return parts.get("severity", "error"), Finding(
        path=parts["path"],
        line=int(parts.get("line") or -1),
        column=int(parts.get("column") or -1),
        code=parts["code"] or "",
        message=parts["message"],
    )


def with_symbols(findings: Iterable[Finding], read: Callable[[str], bytes | None]) -> tuple[Finding, ...]:
    """The findings, each with the dotted name of the definition around it; `read` gives a file's bytes."""
    tables: dict[str, Spans] = {}
    placed: list[Finding] = []
    for finding in findings:
        if finding.path not in tables:
            tables[finding.path] = definitions(read(finding.path) or b"")
        placed.append(replace(finding, symbol=enclosing(tables[finding.path], finding.line)))
    return tuple(placed)
