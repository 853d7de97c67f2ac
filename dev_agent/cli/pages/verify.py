"""What a verification found, check by check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Page, Style, line, prose, span, table

if TYPE_CHECKING:
    from dev_agent.programs.verify import VerifyReport


def verify_page(report: VerifyReport) -> Page:
    """One row a check; the closing line says whether the proof holds."""
    rows = [
        (
            span("ok" if one.ok else "BAD", Style.GOOD if one.ok else Style.BAD),
            span(one.name),
            span(one.detail, Style.DIM),
        )
        for one in report.checks
    ]
    if report.ok:
        end = prose(
            f"{report.events} events, head {report.head}.", lead=(span("The proof holds: ", Style.GOOD),)
        )
    else:
        where = f" The first bad event is {report.first_bad}." if report.first_bad is not None else ""
        end = prose(f"do not rely on this run.{where}", lead=(span("The proof does not hold: ", Style.BAD),))
    data = {
        "ok": report.ok,
        "events": report.events,
        "head": report.head,
        "first_bad": report.first_bad,
        "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in report.checks],
    }
    return Page(data=data, lines=(*table(rows), line(""), *end))
