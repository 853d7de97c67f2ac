"""A queue for people: the table while it goes on, a line for what happened, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Line, Page, Span, Style, count, line, prose, span, table
from dev_agent.programs.queueing.events import Blocked, Judged, Landed, Moved, Restarted
from dev_agent.programs.queueing.model import Batch, Decision, Fate, Phase, QueueState, Verdict

if TYPE_CHECKING:
    from dev_agent.programs.queueing.events import Event
    from dev_agent.programs.queueing.queue import Preview, QueueReport

_FATES = {
    Fate.LANDED: Style.GOOD,
    Fate.EJECTED: Style.BAD,
    Fate.CONTAINED: Style.DIM,
    Fate.SUPERSEDED: Style.WARN,
}
_PHASES = {
    Phase.GREEN: Style.GOOD,
    Phase.LANDING: Style.GOOD,
    Phase.RED: Style.BAD,
    Phase.JUDGING: Style.NAME,
}
_VERDICTS = {Verdict.GREEN: Style.GOOD, Verdict.RED: Style.BAD, Verdict.UNKNOWN: Style.WARN}
_DECIDED, _WAITING = 8, 4
"""How many of the newest fates and of the next heads a table shows."""


def queue_page(report: QueueReport) -> Page:
    """Every head with its fate, and a closing line."""
    rows = [_fate_row(one) for one in report.state.decided]
    lines = [*table(rows, indent=2), line("")] if rows else []
    return Page(data=report.to_json(), lines=(*lines, *_closing(report)))


def preview_page(preview: Preview) -> Page:
    """The heads in order, and how they merge one after the other."""
    stacked = preview.stacked
    said = {
        **{one.number: ("merges", "", Style.GOOD) for one in stacked.included},
        **{
            one.number: ("contained", "the target or one ahead holds it", Style.DIM)
            for one in stacked.contained
        },
        **{one.number: ("conflict", why, Style.BAD) for one, why in stacked.conflicts},
    }
    rows = []
    for one in preview.items:
        word, why, style = said[one.number]
        rows.append(
            (span(word, style), span(one.name, Style.NAME), span(one.commit[:12], Style.DIM), span(why))
        )
    data = {
        "into": preview.into,
        "tip": preview.tip,
        "heads": [
            {
                "name": one.name,
                "head": one.commit,
                "merges": said[one.number][0],
                "reason": said[one.number][1],
            }
            for one in preview.items
        ],
    }
    closing = prose(
        f"{count(len(rows), 'head')} for {preview.into} at {preview.tip[:12]}. Nothing was judged and nothing landed."
    )
    return Page(data=data, lines=(*table(rows, indent=2), line(""), *closing))


def table_lines(state: QueueState) -> tuple[Line, ...]:
    """The line as it stands: the newest fates, every batch, and who is next."""
    rows: list[Sequence[Span]] = [_fate_row(one) for one in state.decided[-_DECIDED:]]
    rows += [_batch_row(one) for one in state.line]
    rows += [
        (span("queued", Style.DIM), span(one.name, Style.DIM), span("")) for one in state.waiting[:_WAITING]
    ]
    left = len(state.waiting) - _WAITING
    more = [line(span(f"  … and {left} more", Style.DIM))] if left > 0 else []
    done = len(state.decided)
    total = done + len(state.waiting) + sum(len(one.items) for one in state.line)
    head = line(span(f"{done} of {total} heads decided, {count(state.rounds, 'judgement')}", Style.STRONG))
    return (head, *table(rows, indent=2), *more)


def event_lines(event: Event, decided: Iterable[Decision]) -> Iterator[Line]:
    """What an event is worth in a log, and the fates that came with it."""
    match event:
        case Judged():
            said = span(f"{event.verdict.value:<12}", _VERDICTS[event.verdict])
            why = f"  {event.reason}" if event.reason else ""
            yield line(said, span(f"judged {event.commit[:12]} on {event.parent[:12]}{why}"))
        case Landed():
            yield line(span(f"{'landed':<12}", Style.GOOD), span(f"the target is at {event.commit[:12]} now"))
        case Moved():
            yield line(
                span(f"{'moved':<12}", Style.WARN), span(f"somebody moved the target to {event.tip[:12]}")
            )
        case Blocked():
            yield line(span(f"{'refused':<12}", Style.BAD), span(event.reason))
        case Restarted():
            yield line(span(f"{'taken up':<12}", Style.NAME), span(f"the target is at {event.tip[:12]}"))
        case _:
            pass
    for one in decided:
        word, name, reason = _fate_row(one)
        yield line(Span(f"{word.text:<12}", word.style), name, Span("  "), reason)


def _closing(report: QueueReport) -> Iterable[Line]:
    state = report.state
    resume = f"dev-agent queue --resume --into {report.into}"
    if state.halted:
        return prose(f"{state.halted}. Mend that, then: {resume}", lead=(span("Stopped: ", Style.BAD),))
    landed = sum(one.fate is Fate.LANDED for one in state.decided)
    inside = sum(one.fate is Fate.CONTAINED for one in state.decided)
    rest = len(state.decided) - landed - inside
    parts = [f"{count(landed, 'head')} landed on {report.into}, which is at {state.tip[:12]}"]
    parts += [f"{inside} {'was' if inside == 1 else 'were'} there already"] if inside else []
    parts += [f"{rest} did not land"] if rest else []
    said = f"{'; '.join(parts)}. {count(state.rounds, 'judgement')}."
    if rest:
        said += " Why one did not: dev-agent show RUN"
    return prose(said, lead=(span("Done: ", Style.WARN if rest else Style.GOOD),))


def _fate_row(one: Decision) -> tuple[Span, Span, Span]:
    why = one.reason or (one.commit[:12] if one.commit else "")
    if one.run and one.fate is Fate.EJECTED:
        why = f"{why}  (run {one.run})"
    return span(one.fate.value, _FATES[one.fate]), span(one.item.name, Style.NAME), span(why)


def _batch_row(batch: Batch) -> tuple[Span, Span, Span]:
    names = ", ".join(item.name for item in batch.items)
    again = " again" if batch.reds and batch.phase is Phase.JUDGING else ""
    why = (
        batch.why
        if batch.phase in (Phase.RED, Phase.STUCK)
        else f"on {batch.parent[:12]}"
        if batch.parent
        else ""
    )
    return (
        span(f"{batch.phase.value}{again}", _PHASES.get(batch.phase, Style.PLAIN)),
        span(names, Style.NAME),
        span(why, Style.DIM),
    )
