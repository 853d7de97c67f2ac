"""A run of somebody else's program, and a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dev_agent.cli.output.page import Line, Page, Style, line, prose, seconds, span, table
from dev_agent.cli.output.progress import outcome_style
from dev_agent.programs.hosting.report import HostedReport, Standing

_STYLES = {
    Standing.FINISHED: Style.GOOD,
    Standing.REFUSED: Style.BAD,
    Standing.OVER_BUDGET: Style.BAD,
    Standing.WAITING: Style.WARN,
    Standing.INTERRUPTED: Style.WARN,
}


def hosted_page(report: HostedReport, *, story: bool = False) -> Page:
    """How a run stands; with `story` also the path it took."""
    return Page(data=report.to_json(), lines=(*(_path(report) if story else ()), *_closing(report)))


def hosted_runs_page(reports: Sequence[HostedReport], unreadable: Sequence[str]) -> Page:
    """One row a run, newest first; runs that cannot be read are named."""
    data = {"runs": [report.to_json() for report in reports], "unreadable": list(unreadable)}
    if not reports and not unreadable:
        return Page(data=data, lines=prose("There is no run here yet. `dev-agent program run` makes one."))
    rows = [
        (
            span(report.run, Style.NAME),
            span(report.program),
            span(_word(report.standing), _STYLES[report.standing]),
            span(report.state),
        )
        for report in reports
    ]
    head = tuple(span(text, Style.DIM) for text in ("RUN", "PROGRAM", "OUTCOME", "STATE"))
    bad = [row for text in unreadable for row in prose(text, style=Style.WARN)]
    return Page(data=data, lines=(*table([head, *rows]), *bad))


def _path(report: HostedReport) -> Iterable[Line]:
    yield line(span(f"run {report.run}", Style.STRONG), span(f"  {report.program}", Style.DIM))
    yield from table(
        (
            (
                span(f"{step.state} (attempt {step.attempt})" if step.attempt > 1 else step.state),
                span(step.outcome, outcome_style(step.outcome)),
                span(seconds(step.ms), Style.DIM),
            )
            for step in report.path
        ),
        indent=2,
    )
    yield from table(
        ((span("trace", Style.DIM), span(report.folder)), (span("head", Style.DIM), span(report.head))),
        indent=2,
    )
    yield line("")


def _closing(report: HostedReport) -> Iterable[Line]:
    lead = span(f"{_word(report.standing).capitalize()}: ", _STYLES[report.standing])
    return prose(_sentence(report), lead=(lead,))


def _sentence(report: HostedReport) -> str:
    where = f"{report.program} is in {report.state}"
    if report.standing is Standing.WAITING:
        data = "".join(f" --data {name}=…" for name in report.wanted)
        choices = "|".join(report.awaited)
        return f"{where}. Go on with: dev-agent program resume {report.handle} --signal {choices}{data}"
    if report.standing is Standing.INTERRUPTED:
        return f"{where}. Go on with: dev-agent program resume {report.handle}"
    end = f"{report.program} ended in {report.state} ({report.reason})"
    said = f". {report.explanation}" if report.explanation else ""
    return f"{end}{said}. Look at it with: dev-agent program show {report.handle}"


def _word(standing: Standing) -> str:
    return standing.value.replace("_", " ")
