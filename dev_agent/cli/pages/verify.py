"""What a verification found, check by check."""

from __future__ import annotations

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, span, table
from dev_agent.programs.proof import Mark, VerifyReport

_STYLES = {Mark.OK: Style.GOOD, Mark.BAD: Style.BAD, Mark.UNCHECKED: Style.DIM}


def verify_page(report: VerifyReport) -> Page:
    """One row a check; the closing line says whether the proof holds."""
    rows = [
        (span(one.mark.value, _STYLES[one.mark]), span(one.name), span(one.detail, Style.DIM))
        for one in report.checks
    ]
    data = {
        "run": report.run,
        "ok": report.ok,
        "events": report.events,
        "head": report.head,
        "first_bad": report.first_bad,
        "checks": [{"name": one.name, "mark": one.mark.value, "detail": one.detail} for one in report.checks],
    }
    return Page(data=data, lines=(*table(rows), line(""), *_closing(report)))


def _closing(report: VerifyReport) -> tuple[Line, ...]:
    if report.ok:
        left = sum(one.mark is Mark.UNCHECKED for one in report.checks)
        rest = f"; {count(left, 'check')} could not be made (see above)" if left else ""
        return prose(f"run {report.run}{rest}.", lead=(span("The proof holds: ", Style.GOOD),))
    where = f" The first bad event is number {report.first_bad}." if report.first_bad is not None else ""
    lead = (span("The proof does not hold: ", Style.BAD),)
    return prose(f"do not rely on run {report.run}.{where}", lead=lead)
