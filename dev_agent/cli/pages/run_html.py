"""One run as a page of its own, for artifacts of CI and for mail: how it ended, the way it took, what was judged.

Everything on it is computed from the run's trace, the proof anew when the page is made. Self-contained, see `html`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Style, count, seconds
from dev_agent.cli.pages.drawing import drawing
from dev_agent.cli.pages.gates import tallies
from dev_agent.cli.pages.html import block, details, document, shown, table
from dev_agent.cli.pages.report import closing, outcome_style
from dev_agent.cli.pages.stats_html import graph_of
from dev_agent.programs.proof import Mark
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.exchange import Said
    from dev_agent.programs.proof import VerifyReport
    from dev_agent.programs.runs import RunRecord
    from dev_agent.programs.stats import ProgramStats, Stats

PATH = "Path"
_MOST = 200_000
_MOST_TEXT = 40_000
_MOST_LINES = 5_000
_CLASSES = {Style.GOOD: "good", Style.BAD: "bad", Style.WARN: "warn"}
_MARKS = {Mark.OK: "good", Mark.BAD: "bad", Mark.UNCHECKED: "dim"}
_RESULTS = {"passed": "good", "failed": "bad", "error": "bad", "deny": "bad", "ask": "warn", "allow": "good"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """What the page is made of: the run, its numbers, the proof as it was checked just now, what a model was told."""

    record: RunRecord
    stats: Stats
    proof: VerifyReport
    exchange: tuple[Said, ...] = ()


def run_html(view: RunView) -> str:
    """The whole page."""
    parts = [f"<h1>{shown(view.record.report.run)}</h1>", *summary(view)]
    for title, section in sections_of(view):
        drawn = [f'<div class="wide">{one}</div>' for one in graphs_of(view)] if title == PATH else []
        parts += [f"<h2>{shown(title)}</h2>", *drawn, section]
    return document(f"dev-agent: {view.record.report.run}", parts)


def summary(view: RunView) -> tuple[str, ...]:
    """How the run ended, its task, and the facts about it."""
    record = view.record
    style = _CLASSES.get(outcome_style(record.report.outcome.value), "")
    return (
        f'<p class="{style}"><strong>{_closing(view)}</strong></p>',
        block(record.report.task, most=_MOST_TEXT, kind="blockquote"),
        table((), _facts(record)),
    )


def graphs_of(view: RunView) -> tuple[str, ...]:
    """The graph of the run's program with the path taken, as SVG; it belongs to the section PATH."""
    return tuple(drawing(graph_of(program)) for program in view.stats.programs)


def sections_of(view: RunView) -> tuple[tuple[str, str], ...]:
    """What there is to tell, as titles and HTML; a section with nothing to tell is left out."""
    record = view.record
    made = (
        ("Gates", _gates(record)),
        ("Policy", _policy(record)),
        (count(len(record.report.files), "file"), _change(record)),
        (PATH, _path(view)),
        ("Model", _exchange(view)),
        ("Proof", _proof(view)),
    )
    told = ((title, "\n".join(parts)) for title, parts in made)
    return tuple((title, html) for title, html in told if html)


def _closing(view: RunView) -> str:
    return shown(" ".join(one.text for one in closing(view.record.report)))


def _facts(record: RunRecord) -> Iterable[tuple[str, object]]:
    report = record.report
    rows = (
        ("Began", record.started),
        ("Ended", record.ended),
        ("Proposer", report.proposer),
        ("Base", report.base),
        ("Commit", report.commit),
        ("Branch", report.branch),
        ("Tree", report.tree),
        ("Policy", report.policy.get("name")),
        ("Time", seconds(report.cost.get("ms") or 0)),
        ("Cost", report.spent.words),
        ("Notes", "; ".join((*report.notes, *report.warnings))),
    )
    return [(name, str(value)) for name, value in rows if value]


def _path(view: RunView) -> Iterable[str]:
    for program in view.stats.programs:
        for alarm in program.alarms:
            yield f'<p class="alarm"><strong>{alarm.kind.value}</strong>: {shown(alarm.message)}</p>'
    rows = [(one.state, one.attempt, one.outcome, seconds(one.ms)) for one in view.record.path]
    yield table(("State", "Attempt", "Outcome", "Time"), rows)
    yield from _costs(view.stats.programs)


def _costs(programs: Iterable[ProgramStats]) -> Iterable[str]:
    rows = [
        (
            one.state,
            one.count,
            seconds(one.ms),
            ", ".join(f"{key} {amount}" for key, amount in one.cost.items()),
        )
        for program in programs
        for one in program.states
        if one.cost
    ]
    if rows:
        yield table(("State", "Times", "Time", "Cost"), rows)


def _gates(record: RunRecord) -> Iterable[str]:
    verdicts = record.verdicts or record.report.gates
    if not verdicts:
        return
    for verdict in verdicts:
        name = str(verdict.get("gate") or verdict.get("name") or "")
        result = str(verdict.get("result") or verdict.get("verdict") or "")
        told = ", ".join(_said(verdict))
        yield (
            f'<p><strong>{shown(name)}</strong> <span class="{_RESULTS.get(result, "dim")}">{shown(result)}</span> '
            f'<span class="dim">{shown(told)}</span></p>'
        )
        for failure in verdict.get("new_failures") or ():
            yield from _failure(failure)
    for name, output in record.outputs.items():
        if output:
            text = output.decode("utf-8", "replace")
            yield details(f"What {name} printed", block(text, most=_MOST_TEXT))


def _said(verdict: Mapping[str, Any]) -> Iterable[str]:
    yield "from the cache" if verdict.get("cached") else seconds(int(verdict.get("ms") or 0))
    if verdict.get("tool"):
        yield f"{verdict['tool']} {verdict.get('tool_version') or ''}".strip()
    if verdict.get("passed"):
        yield f"{verdict['passed']} passed"
    if verdict.get("preexisting"):
        yield f"{verdict['preexisting']} failing before and after"
    yield from tallies(verdict)
    if verdict.get("reason"):
        yield str(verdict["reason"])
    by = verdict.get("judged_by")
    if isinstance(by, Mapping):
        yield f"judged by {by.get('worker') or '?'} ({by.get('address') or '?'})"


def _failure(failure: Mapping[str, Any] | str) -> Iterable[str]:
    if isinstance(failure, str):
        yield f'<p class="bad">{shown(failure)}</p>'
        return
    line = f":{failure['line']}" if failure.get("line") else ""
    place = f"{failure.get('path') or ''}{line}"
    name = str(failure.get("id") or place)
    yield f'<p><span class="bad">{shown(name)}</span> <span class="dim">{shown(place)}</span></p>'
    text = "\n".join(str(failure[key]) for key in ("message", "detail") if failure.get(key))
    if text:
        yield block(text, most=_MOST_TEXT)


def _policy(record: RunRecord) -> Iterable[str]:
    policy = record.report.policy
    if not policy.get("name"):
        return
    verdict = str(policy.get("verdict") or "")
    yield f'<p>{shown(str(policy["name"]))} <span class="{_RESULTS.get(verdict, "dim")}">{shown(verdict)}</span></p>'
    rows = [
        (
            one.get("verdict") or "",
            one.get("rule") or "",
            one.get("because") or "",
            ", ".join(_place(place) for place in one.get("places") or ()),
            ", ".join(f"{name} = {value}" for name, value in (one.get("facts") or {}).items()),
        )
        for one in record.findings
    ]
    if rows:
        yield table(("Answer", "Rule", "Because", "Places", "Facts"), rows)


def _place(place: Mapping[str, Any]) -> str:
    return f"{place.get('path') or ''}{':' + str(place['line']) if place.get('line') else ''}"


def _change(record: RunRecord) -> Iterable[str]:
    report = record.report
    if not record.patch:
        yield '<p class="dim">Nothing was staged, or what was is erased.</p>'
        return
    lines = record.patch.decode("utf-8", "replace")[:_MOST].split("\n")
    body = "".join(f"<span{_kind(text)}>{shown_line(text)}</span>" for text in lines[:_MOST_LINES])
    yield f"<pre>{body}</pre>"
    if len(record.patch) > _MOST or len(lines) > _MOST_LINES:
        yield f'<p class="dim">… the rest: dev-agent diff {shown(report.run)}</p>'


def shown_line(text: str) -> str:
    """A line of a patch; an empty one keeps its height."""
    return block(text, most=_MOST_TEXT, kind="i").removeprefix("<i>").removesuffix("</i>") or "&nbsp;"


def _kind(text: str) -> str:
    if text.startswith(("diff ", "+++", "---", "@@", "index ")):
        return ' class="place"'
    kinds = {"+": ' class="added"', "-": ' class="removed"'}
    return kinds.get(text[:1], "")


def _exchange(view: RunView) -> Iterable[str]:
    if not view.exchange:
        return
    for said in view.exchange:
        text = "(erased)" if said.text is None else said.text
        yield details(f"{said.name}, event {said.event}", block(text, most=_MOST_TEXT))


def _proof(view: RunView) -> Iterable[str]:
    proof = view.proof
    holds = (
        ("good", "The proof holds.")
        if proof.ok
        else ("bad", "The proof does not hold: do not rely on this run.")
    )
    yield f'<p class="{holds[0]}"><strong>{holds[1]}</strong></p>'
    rows = "".join(
        f'<tr><td class="{_MARKS[one.mark]}">{one.mark.value}</td><td>{shown(one.name)}</td>'
        f"<td>{shown(one.detail)}</td></tr>\n"
        for one in proof.checks
    )
    yield f"<table><tbody>\n{rows}</tbody></table>"
    yield table((), [("Events", proof.events), ("Head", proof.head)])
    if view.record.receipt is not None:
        yield details("Receipt", block(_pretty(view.record.receipt), most=_MOST))


def _pretty(receipt: bytes) -> str:
    """The receipt with line breaks; one that is no JSON as it is, since the proof above says so already."""
    try:
        return json.dumps(json.loads(receipt), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return receipt.decode("utf-8", "replace")
