"""The end of a run: gates, findings, warnings, and a closing line: what happened, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, quotation, span, table
from dev_agent.cli.pages.gates import gate_lines
from dev_agent.programs.report import Outcome, RunReport

_STYLES = {
    Outcome.COMMITTED: Style.GOOD,
    Outcome.VERIFIED: Style.GOOD,
    Outcome.NO_CHANGE: Style.STRONG,
    Outcome.REJECTED: Style.BAD,
    Outcome.FAILED: Style.BAD,
    Outcome.SUSPENDED: Style.WARN,
    Outcome.KEPT: Style.WARN,
    Outcome.INTERRUPTED: Style.WARN,
    Outcome.RUNNING: Style.STRONG,
}
_MOST_FILES = 20
_MOST_PLACES = 20
_MOST_PATHS = 5
_SHORT = 12


def report_page(report: RunReport) -> Page:
    """The page of a finished or suspended run; `data` is the contract object."""
    return Page(data=report.to_json(), lines=(*_body(report), *closing(report)))


def closing(report: RunReport) -> Iterable[Line]:
    """The outcome as a word, the sentence that explains it, and the next step."""
    # A gate's hint may quote what a tool printed; the whole of it stands above, with the gate.
    parts = [
        part.split("\n")[0].rstrip(" .:")
        for part in (_fact(report), report.explanation, _next(report))
        if part
    ]
    sentence = ". ".join(
        part[0].upper() + part[1:] if position else part for position, part in enumerate(parts)
    )
    lead = span(f"{report.outcome.value.replace('_', ' ').capitalize()}: ", _STYLES[report.outcome])
    return prose(sentence, lead=(lead,))


def _fact(report: RunReport) -> str:
    """Where the change is now, for the outcomes whose name does not say it."""
    # An undo can land without policy's consent, and back to where a run began without any judging.
    consented = report.policy.get("verdict") in {"allow", "ask"}
    judged = _is_judged(report)
    if report.outcome is Outcome.COMMITTED:
        where = f" on {report.branch}" if report.branch else ""
        alone = ", judged by policy alone" if consented and not judged else ""
        return f"{short(report.commit)}{where}, {count(len(report.files), 'file')}{alone}"
    if report.outcome is not Outcome.VERIFIED:
        return ""
    passed = " and ".join((["policy"] if consented else []) + (["every gate"] if judged else []))
    if not passed:
        return "the change can land as it is; nothing was landed"
    return f"the change passed {passed}{'' if judged else '; no gate judged it'}; nothing was landed"


def _is_judged(report: RunReport) -> bool:
    """True if a gate gave a verdict; those that are switched off, or have nothing to judge, give none."""
    return any(gate.get("verdict") == "passed" for gate in report.gates)


def _next(report: RunReport) -> str:
    if report.advice or report.outcome is not Outcome.COMMITTED:
        return report.advice
    return f"look at it with: git show {short(report.commit)}"


def outcome_style(outcome: str) -> Style:
    """The colour of an outcome's name; a name of another version is plain."""
    try:
        return _STYLES[Outcome(outcome)]
    except ValueError:
        return Style.PLAIN


def short(object_id: str | None) -> str:
    """A git object id as people read it."""
    return (object_id or "")[:_SHORT]


def finding_lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[Line]:
    """What policy found: rule, answer, reason, places."""
    for finding in findings:
        answer = str(finding.get("verdict") or "")
        style = {"deny": Style.BAD, "ask": Style.WARN}.get(answer, Style.DIM)
        lead = (span(answer, style), span(f"  {finding.get('rule') or ''}: "))
        yield from prose(str(finding.get("because") or ""), indent=2, lead=lead)
        if finding.get("when"):
            # What a rule of the team's own looked at; a built-in rule's facts are its places and its sentence.
            facts = ", ".join(
                f"{name} = {shown(value)}" for name, value in (finding.get("facts") or {}).items()
            )
            yield from prose(f"when {finding['when']} ({facts})", indent=6, style=Style.DIM)
        for place in (finding.get("places") or ())[:5]:
            number = f":{place['line']}" if place.get("line") else ""
            yield line(
                span(f"{place.get('path') or ''}{number}", Style.NAME),
                span(f"  {place.get('text') or ''}", Style.DIM),
                indent=6,
            )


def shown(value: object) -> str:
    """A fact's value in plain words, long lists cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        more = f", … {len(value) - _MOST_PATHS} more" if len(value) > _MOST_PATHS else ""
        return f"[{', '.join(map(str, value[:_MOST_PATHS]))}{more}]"
    return str(value)


def files_line(files: tuple[str, ...]) -> Iterable[Line]:
    """The changed files, one a line while they are few."""
    for path in files[:_MOST_FILES]:
        yield line(span(path), indent=2)
    if len(files) > _MOST_FILES:
        yield line(span(f"… and {len(files) - _MOST_FILES} more", Style.DIM), indent=2)


def detail_lines(report: RunReport) -> tuple[Line, ...]:
    """The rest of an explanation whose first line is in the closing sentence: where, and the nearest real lines."""
    _, _, rest = report.explanation.partition("\n")
    return quotation(rest) if rest else ()


def place_lines(report: RunReport, most: int = _MOST_PLACES) -> tuple[Line, ...]:
    """The lines the proposer speaks of, path and number in one column; the trace has those that are left out."""
    if not report.places:
        return ()
    rows = [
        (
            span(f"{one.path}:{one.line}:" if one.line else f"{one.path}:", Style.NAME),
            span(one.text.strip(), Style.DIM),
        )
        for one in report.places[:most]
    ]
    more = len(report.places) - len(rows) + report.places_more
    end = (line(span(f"… and {more} more", Style.DIM), indent=2),) if more else ()
    return (*table(rows, indent=2), *end)


def _body(report: RunReport) -> Iterable[Line]:
    """Everything above the closing line; each block ends with an empty line."""
    findings = [one for one in (report.policy.get("findings") or ()) if one.get("verdict") in {"ask", "deny"}]
    blocks = (
        detail_lines(report),
        tuple(gate_lines(report.gates, details=report.outcome is Outcome.REJECTED)),
        tuple(finding_lines(findings)),
        tuple(one for text in report.notes for one in prose(text, style=Style.DIM)),
        place_lines(report),
        prose(f"cost: {report.spent.words}", style=Style.DIM) if report.spent.words else (),
        tuple(one for text in report.warnings for one in prose(text, lead=(span("warning: ", Style.WARN),))),
    )
    for block in blocks:
        if block:
            yield from block
            yield line("")
