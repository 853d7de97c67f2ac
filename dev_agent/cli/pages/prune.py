"""What a pruning would drop, or has dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Span, Style, count, line, prose, span, table
from dev_agent.cli.pages.report import outcome_style
from dev_agent.sizes import said_size as size

if TYPE_CHECKING:
    from dev_agent.programs.prune import Pruning


def prune_page(pruning: Pruning) -> Page:
    """One row a thing, what stays and why, and a closing line."""
    return Page(data=_data(pruning), lines=tuple(_lines(pruning)))


def _lines(pruning: Pruning) -> Iterable[Line]:
    for text in pruning.notes:
        yield from prose(text, style=Style.DIM)
    rows = list(_rows(pruning))
    if rows:
        yield from table(rows, indent=2)
        yield line("")
    for one in pruning.spared:
        yield from prose(one.reason, indent=2, lead=(span("stays  ", Style.WARN), span(f"{one.name} ")))
    if pruning.spared:
        yield line("")
    yield from _closing(pruning, len(rows))


def _closing(pruning: Pruning, things: int) -> Iterable[Line]:
    if not things:
        return prose("Nothing to prune.")
    said = f"{_counted(pruning)}, {size(pruning.bytes)}"
    if pruning.done:
        return prose(f"{said}.", lead=(span("Freed: ", Style.GOOD),))
    return prose(
        f"{said}. Nothing was changed; to do it, add --yes", lead=(span("Would free: ", Style.STRONG),)
    )


def _counted(pruning: Pruning) -> str:
    parts = [
        count(len(pruning.runs), "run") if pruning.runs else "",
        count(len(pruning.slots), "private work tree") if pruning.slots else "",
        "the cache" if pruning.cache and pruning.cache.bytes else "",
    ]
    return ", ".join(part for part in parts if part)


def _rows(pruning: Pruning) -> Iterable[Sequence[Span]]:
    for run in pruning.runs:
        yield (
            span("run", Style.DIM),
            span(run.run, Style.NAME),
            span(size(run.bytes)),
            span(run.outcome.replace("_", " "), outcome_style(run.outcome)),
            span(run.task.split("\n")[0]),
        )
    for slot in pruning.slots:
        yield (
            span("slot", Style.DIM),
            span(slot.name, Style.NAME),
            span(size(slot.bytes)),
            span("-"),
            span("work tree"),
        )
    if pruning.cache and pruning.cache.bytes:
        name, freed = span("verdicts", Style.NAME), span(size(pruning.cache.bytes))
        yield span("cache", Style.DIM), name, freed, span("-"), span("and baselines")


def _data(pruning: Pruning) -> dict[str, Any]:
    return {
        "done": pruning.done,
        "bytes": pruning.bytes,
        "runs": [
            {
                "run": one.run,
                "started": one.started,
                "outcome": one.outcome,
                "task": one.task,
                "bytes": one.bytes,
            }
            for one in pruning.runs
        ],
        "slots": [{"name": one.name, "bytes": one.bytes} for one in pruning.slots],
        "cache": None if pruning.cache is None else pruning.cache.bytes,
        "notes": list(pruning.notes),
        "spared": [{"name": one.name, "reason": one.reason} for one in pruning.spared],
    }
