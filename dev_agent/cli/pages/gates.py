"""Verdicts of gates as lines: one row a gate, then what newly fails, with its place and its message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dev_agent.cli.output.page import Line, Span, Style, count, line, prose, quotation, seconds, span, table

_STYLES = {"passed": Style.GOOD, "failed": Style.BAD, "error": Style.BAD, "skipped": Style.DIM}
# A superseded test of the base fails on the change, and passes in the form the change gave it.
_TALLIES = {"fixed": "fixed", "flaky": "flaky", "superseded": "in their new form only"}
_MOST_FAILURES = 10
_MOST_DETAIL = 30


def gate_lines(verdicts: Iterable[Mapping[str, Any]], *, details: bool) -> tuple[Line, ...]:
    """A table of the gates; `details` adds each new failure's own output."""
    kept = [dict(one) for one in verdicts]
    lines = list(table([_row(one) for one in kept], indent=2))
    for verdict in kept:
        lines += _failures(verdict, details=details)
    return tuple(lines)


def _name(verdict: Mapping[str, Any]) -> str:
    return str(verdict.get("name") or verdict.get("gate") or "")


def _result(verdict: Mapping[str, Any]) -> str:
    return str(verdict.get("verdict") or verdict.get("result") or "")


def _row(verdict: Mapping[str, Any]) -> Sequence[Span]:
    result = _result(verdict)
    return (
        span(_name(verdict)),
        span(result, _STYLES.get(result, Style.PLAIN)),
        span("cached" if verdict.get("cached") else seconds(int(verdict.get("ms") or 0)), Style.DIM),
        span(_summary(verdict), Style.DIM),
    )


def tallies(verdict: Mapping[str, Any]) -> list[str]:
    """How many tests came out in a way worth a word."""
    return [f"{len(verdict[key])} {words}" for key, words in _TALLIES.items() if verdict.get(key)]


def _summary(verdict: Mapping[str, Any]) -> str:
    """What the numbers of a verdict say, shortest first."""
    new = len(verdict.get("new_failures") or ())
    said = [count(new, "new failure")] if new else []
    if verdict.get("passed"):
        # What a type checker passes are files.
        checked = count(int(verdict["passed"]), "file")
        said.append(checked if _name(verdict) == "types" else f"{verdict['passed']} passed")
    if verdict.get("preexisting"):
        said.append(f"{verdict['preexisting']} failing before and after")
    said += tallies(verdict)
    if _result(verdict) in {"error", "skipped"} and verdict.get("reason"):
        said.append(str(verdict["reason"]))
    if verdict.get("tool"):
        said.append(f"{verdict['tool']} {verdict.get('tool_version') or ''}".strip())
    by = verdict.get("judged_by")
    if isinstance(by, Mapping):
        said.append(f"judged by {by.get('worker') or '?'} ({by.get('address') or '?'})")
    return ", ".join(said)


def _failures(verdict: Mapping[str, Any], *, details: bool) -> Iterable[Line]:
    failures = verdict.get("new_failures") or ()
    # A gate that was skipped with a reason to be known about says it in its hint.
    skipped = _result(verdict) == "skipped"
    explained = _result(verdict) in {"failed", "error"} or (skipped and bool(verdict.get("hint")))
    if not failures and not (explained and (verdict.get("notes") or verdict.get("hint"))):
        return
    yield line("")
    yield line(span(f"New in {_name(verdict)}:" if failures else f"About {_name(verdict)}:", Style.STRONG))
    for failure in failures[:_MOST_FAILURES]:
        yield from _failure(failure, details=details)
    if len(failures) > _MOST_FAILURES:
        yield line(span(f"… and {len(failures) - _MOST_FAILURES} more", Style.DIM), indent=2)
    for text in (*(verdict.get("notes") or ()), verdict.get("hint") or ""):
        if explained and text:
            yield from prose(str(text), style=Style.DIM, indent=2)


def _failure(failure: Mapping[str, Any] | str, *, details: bool) -> Iterable[Line]:
    if isinstance(failure, str):
        yield from prose(failure, indent=2)
        return
    place = str(failure.get("path") or "")
    if place and failure.get("line"):
        place += f":{failure['line']}"
    name, code, message = (str(failure.get(key) or "") for key in ("id", "code", "message"))
    lead = place if code and place and not name.startswith(place.partition(":")[0] + "::") else name or place
    told = ": ".join(part for part in (lead, message) if part)
    yield from prose(told.split("\n")[0] + (f"  [{code}]" if code else ""), indent=2)
    if details and failure.get("detail"):
        detail = str(failure["detail"]).rstrip("\n").split("\n")
        yield from quotation("\n".join(detail[:_MOST_DETAIL]), style=Style.DIM, indent=6)
        if len(detail) > _MOST_DETAIL:
            yield line(span(f"… {len(detail) - _MOST_DETAIL} more lines", Style.DIM), indent=6)
