"""Runs as a list and as a story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, seconds, span, table
from dev_agent.cli.output.progress import outcome_style as step_style
from dev_agent.cli.pages.candidates import candidate_lines, candidates_json
from dev_agent.cli.pages.cost import cost_json, cost_lines
from dev_agent.cli.pages.gates import gate_lines
from dev_agent.cli.pages.report import (
    closing,
    detail_lines,
    files_line,
    finding_lines,
    outcome_style,
    place_lines,
    short,
)

if TYPE_CHECKING:
    from dev_agent.programs.runs import RunRecord, RunSummary
    from dev_agent.programs.story import PathStep


def runs_page(runs: Sequence[RunSummary]) -> Page:
    """One row a run, newest first."""
    data = {"runs": [{**_plain(run), "spent": run.spent.to_json()} for run in runs]}
    if not runs:
        return Page(data=data, lines=prose("There is no run here yet. `dev-agent apply` makes one."))
    paid = any(run.spent.calls for run in runs)
    names = ("RUN", "STARTED", "OUTCOME", "COMMIT", *(("COST",) if paid else ()), "TASK")
    head = tuple(span(text, Style.DIM) for text in names)
    rows = [
        (
            span(run.run, Style.NAME),
            span(run.started[:16].replace("T", " ")),
            span(run.outcome.replace("_", " "), outcome_style(run.outcome)),
            span(short(run.commit)[:9] or "-", Style.DIM),
            *((span(run.spent.money if run.spent.calls else "-", Style.DIM),) if paid else ()),
            span(run.task.split("\n")[0] or run.reason),
        )
        for run in runs
    ]
    return Page(data=data, lines=table([head, *rows]))


def show_page(record: RunRecord, *, candidates: bool = False) -> Page:
    """The story of a run: task, path, gates, findings, files, and how it stands. `candidates`: with all their gates."""
    return Page(data=_record_json(record), lines=tuple(_story(record, candidates=candidates)))


def _story(record: RunRecord, *, candidates: bool) -> Iterable[Line]:
    report = record.report
    yield line(span(f"run {report.run}", Style.STRONG), span(f"  {record.started}", Style.DIM))
    yield from prose(report.task, indent=2)
    yield from _block("Path", table(_steps(record.path), indent=2))
    yield from _block("Cost", cost_lines(record.spending))
    yield from _block("Candidates", candidate_lines(record.candidates, whole=candidates))
    yield from _block("Gates", gate_lines(record.verdicts or report.gates, details=True))
    yield from _block("Policy", tuple(finding_lines(record.findings)))
    yield from _block(count(len(report.files), "file"), tuple(files_line(report.files)))
    yield from _block("Proof", table(_proof(report), indent=2))
    yield from _block("Details", detail_lines(report))
    yield from _block("Places", place_lines(report, most=len(report.places)))
    for text in (*report.notes, *report.warnings):
        yield from prose(text, style=Style.DIM)
    yield line("")
    yield from closing(report)


def _block(title: str, lines: tuple[Line, ...]) -> Iterable[Line]:
    if lines:
        yield line("")
        yield line(span(title, Style.STRONG))
        yield from lines


def _steps(path: Iterable[PathStep]) -> Iterable[Sequence[Any]]:
    for step in path:
        name = f"{step.state} (attempt {step.attempt})" if step.attempt > 1 else step.state
        yield span(name), span(step.outcome, step_style(step.outcome)), span(seconds(step.ms), Style.DIM)


def _proof(report: Any) -> Iterable[Sequence[Any]]:
    rows = (
        ("proposer", report.proposer),
        ("base", report.base),
        ("commit", report.commit),
        ("branch", report.branch),
        ("tree", report.tree),
        ("policy", " ".join(str(report.policy.get(key) or "") for key in ("name", "digest")).strip()),
        ("receipt", report.receipt),
        ("trace", report.trace),
    )
    return [(span(name, Style.DIM), span(str(value))) for name, value in rows if value]


def _record_json(record: RunRecord) -> Mapping[str, Any]:
    return {
        "report": record.report.to_json(),
        "task": record.report.task,
        "explanation": record.report.explanation,
        "advice": record.report.advice,
        "proposer": record.report.proposer,
        "notes": list(record.report.notes),
        "warnings": list(record.report.warnings),
        "started": record.started,
        "ended": record.ended,
        "path": [_plain(step) for step in record.path],
        "gates": [dict(one) for one in record.verdicts or record.report.gates],
        "findings": [dict(one) for one in record.findings],
        **({"candidates": candidates_json(record.candidates)} if record.candidates else {}),
        **({"cost": cost_json(record.spending)} if record.spending.total.calls else {}),
    }


def _plain(value: Any) -> dict[str, Any]:
    """A flat value object by its field names."""
    return {one.name: getattr(value, one.name) for one in fields(value)}
