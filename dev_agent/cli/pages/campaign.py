"""A campaign for people: the table while it goes on, a line for what came of a repository, and how it ended."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import (
    Line,
    Page,
    Span,
    Style,
    count,
    line,
    prose,
    quotation,
    seconds,
    span,
    table,
)
from dev_agent.programs.campaigning.campaign import fate_of
from dev_agent.programs.campaigning.model import GOOD, UNJUDGED, CampaignState, Fate, Phase, Row
from dev_agent.programs.cost import dollars

if TYPE_CHECKING:
    from dev_agent.programs.campaigning.campaign import CampaignReport

_WORDS = {
    Fate.PUBLISHED: "published",
    Fate.LANDED: "landed",
    Fate.VERIFIED: "verified",
    Fate.NO_CHANGE: "no change",
    Fate.REJECTED: "rejected",
    Fate.WAITING: "waits for a person",
    Fate.KEPT: "kept",
    Fate.TROUBLE: "trouble",
    Fate.OUT_OF_BUDGET: "out of budget",
    Fate.NOT_STARTED: "not started",
}
_ON_A_BRANCH = frozenset({Fate.PUBLISHED, Fate.LANDED, Fate.VERIFIED, Fate.WAITING, Fate.KEPT})
"""Fates that speak of a branch: what landed on it, or will."""

_PHASES = {
    Phase.PENDING: "waits",
    Phase.WORKING: "interrupted",
    Phase.LANDED: "to be published",
    Phase.PUBLISHING: "to be published",
    Phase.DECIDED: "",
}
_LIMITS = {
    "model_calls": "--max-calls N",
    "tokens": "--max-tokens N",
    "money": "--max-cost DOLLARS",
    "wall_ms": "--max-time MINUTES",
}
_DECIDED, _WAITING = 10, 3
"""How many of the newest fates and of the next repositories a live table shows."""


def campaign_page(report: CampaignReport) -> Page:
    """Every repository with its fate, then what to do next, and a closing line."""
    rows = [_row(row) for row in report.state.rows]
    return Page(data=report.to_json(), lines=(*table(rows, indent=2), line(""), *_closing(report)))


def table_lines(state: CampaignState, doing: Mapping[int, str]) -> tuple[Line, ...]:
    """The campaign as it stands: the newest fates, whatever is worked on, and who is next."""
    decided = [row for row in state.rows if row.phase is Phase.DECIDED]
    waiting = [row for row in state.rows if row.phase in (Phase.PENDING, Phase.LANDED)]
    rows: list[Sequence[Span]] = [_row(row) for row in decided[-_DECIDED:]]
    rows += [
        (
            span(row.phase.value, Style.NAME),
            span(row.name, Style.NAME),
            span(row.run, Style.DIM),
            span(doing.get(row.number, ""), Style.DIM),
        )
        for row in state.busy
    ]
    rows += [
        (span("waits", Style.DIM), span(row.name, Style.DIM), span(""), span(""))
        for row in waiting[:_WAITING]
    ]
    left = len(waiting) - _WAITING
    more = [line(span(f"  … and {left} more", Style.DIM))] if left > 0 else []
    head = line(
        span(f"{len(decided)} of {len(state.rows)} repositories decided{_spent(state)}", Style.STRONG)
    )
    return (head, *table(rows, indent=2), *more)


def row_line(row: Row) -> Line:
    """What came of a repository, as one line of a log."""
    word, name, run, detail = _row(row)
    parts = [Span(f"{word.text:<14}", word.style), name]
    for one in (run, detail):
        parts += [Span("  "), one] if one.text else []
    return line(*parts)


def _row(row: Row) -> tuple[Span, Span, Span, Span]:
    """What became of it, which one, its run, and what there is to say: where the change is, or why there is none."""
    fate = fate_of(row)
    word = _WORDS[fate] if fate else _PHASES[row.phase]
    said = row.why or row.pull or (row.branch if fate in _ON_A_BRANCH else "")
    return span(word, _style(fate)), span(row.name, Style.NAME), span(row.run, Style.DIM), span(said)


def _style(fate: Fate | None) -> Style:
    if fate is None or fate is Fate.NO_CHANGE:
        return Style.DIM
    if fate in GOOD:
        return Style.GOOD
    return Style.WARN if fate in UNJUDGED else Style.BAD


def _closing(report: CampaignReport) -> Iterable[Line]:
    state = report.state
    fates = Counter(fate_of(row) for row in state.rows)
    told = [f"{fates[fate]} {word}" for fate, word in _WORDS.items() if fates[fate]]
    told += [f"{fates[None]} to go"] if fates[None] else []
    said = f"{count(len(state.rows), 'repository', 'repositories')}: {', '.join(told)}. "
    said += f"Campaign {report.campaign}, {seconds(state.elapsed_ms)}{_spent(state)}."
    if report.job.dry_run:
        said += f" Dry run: nothing was landed{', pushed or opened' if report.job.publish else ''}."
    lead, style = ("Stopped: ", Style.WARN) if report.interrupted else ("Done: ", _closing_style(report))
    yield from prose(said, lead=(span(lead, style),))
    for words, command in _next(report):
        yield from prose(words)
        yield from quotation(command, indent=2)


def _closing_style(report: CampaignReport) -> Style:
    return Style.GOOD if report.exit_code == 0 else Style.WARN


def _next(report: CampaignReport) -> Iterable[tuple[str, str]]:
    """What a person may want to do now, and the command that does it, which is not wrapped: it is copied."""
    rows = report.state.rows
    resume = f"dev-agent campaign --resume --campaign {report.campaign}"
    fates = {fate_of(row) for row in rows}
    run = next((row for row in rows if row.run and fate_of(row) not in GOOD), None)
    landed = next((row for row in rows if row.landed), None)
    if run is not None:
        yield "What happened in a repository, for example:", f"dev-agent show {_named(run)}"
    if landed is not None:
        yield "To take back what landed in one, for example:", f"dev-agent undo {_named(landed)}"
    if None in fates:
        yield "To go on:", resume
    elif Fate.NOT_STARTED in fates:
        limits = report.state.limits.to_json()
        named = " ".join(words for name, words in _LIMITS.items() if name in limits)
        yield "To go on with a larger budget:", f"{resume} {named}"
    elif fates - GOOD:
        yield "Once that is mended:", f"{resume} --retry failed"
    elif Fate.LANDED in fates and not report.job.publish:
        yield "To push the branches and open draft pull requests:", f"{resume} --publish"


def _named(row: Row) -> str:
    return f"{row.run} -C {shlex.quote(row.place)}"


def _spent(state: CampaignState) -> str:
    used = state.used
    if not used.model_calls:
        return ""
    return f", {count(used.model_calls, 'model call')}, {used.tokens:,} tokens, {dollars(used.money)}"
