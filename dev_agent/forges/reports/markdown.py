"""The report of a judged merge as Markdown: for a check run, for a job's step, and for the one comment. Pure.

Ours are the words between; every name, path, id and message of others is code or an encoded phrase. Too long a report
is cut at a whole section, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dev_agent.forges.forge import MAX_BODY
from dev_agent.forges.reports.remarks import Remark, Weight, remarks_of
from dev_agent.forges.reports.verdict import conclusion_of
from dev_agent.forges.text import fenced, inline_code, prose

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

_ICONS = {
    "success": "✅",
    "failure": "❌",
    "action_required": "✋",
    "timed_out": "⌛",
    "cancelled": "⏭️",
    "neutral": "➖",
}
_MOST = 50
_MOST_DETAILS = 10
_DETAIL = 2_000
_CUT = "\n\n*The rest is left out: the host takes no longer text. The run's trace has all of it.*\n"


def summary_of(report: MergeReport, *, limit: int = MAX_BODY) -> str:
    """The whole report: verdict, what was merged, gates, what is wrong, what judges this project."""
    return _fitting(
        [_headline(report), _table(report), _gates(report), *_sections(report), _advice(report)], limit
    )


def _headline(report: MergeReport) -> str:
    judged = conclusion_of(report)
    return f"## {_ICONS[judged.conclusion.value]} dev-agent: {prose(judged.text)}"


def _table(report: MergeReport) -> str:
    run = report.run
    rows = [
        ("base", f"{inline_code(report.merging.base_name)} at {inline_code(report.base)}"),
        ("head", f"{inline_code(report.merging.head_name)} at {inline_code(report.head)}"),
        ("merge", f"tree {inline_code(run.tree)}" if run.tree else "none"),
        ("tested commit", inline_code(report.commit) if report.commit else "none passed"),
        ("policy", _policy(run.policy)),
        ("run", inline_code(run.run)),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _policy(policy: Mapping[str, Any]) -> str:
    name, source, digest = (str(policy.get(key, "")) for key in ("name", "source", "digest"))
    return f"{inline_code(name)} of {inline_code(source)}, digest {inline_code(digest[:16])}"


def _gates(report: MergeReport) -> str:
    if not report.run.gates:
        return ""
    rows = [_gate(one) for one in report.run.gates]
    head = ["| gate | verdict | new in the merge | on the base already | passed |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _gate(gate: Mapping[str, Any]) -> str:
    cells = (
        inline_code(str(gate.get("name", ""))),
        inline_code(str(gate.get("verdict", ""))),
        str(len(gate.get("new_failures") or ())),
        str(int(gate.get("preexisting") or 0)),
        str(int(gate.get("passed") or 0)),
    )
    return f"| {' | '.join(cells)} |"


def _sections(report: MergeReport) -> Iterator[str]:
    remarks = [one for one in remarks_of(report) if one.weight is not Weight.NOTE]
    for gate, group in groupby(remarks, key=lambda one: one.gate):
        found = list(group)
        lines = [f"### {inline_code(gate)}: {len(found)}"]
        lines += [_item(one, detailed=at < _MOST_DETAILS) for at, one in enumerate(found[:_MOST])]
        if len(found) > _MOST:
            lines.append(f"- … and {len(found) - _MOST} more")
        yield "\n".join(lines)
    if report.own_judge:
        yield _own_judge(report)


def _own_judge(report: MergeReport) -> str:
    lines = [
        "### This head changes what judges this project",
        "It changed nothing about this judgement: policy, settings, gates and workflow rules are the base's.",
    ]
    for finding in report.own_judge:
        paths = dict.fromkeys(str(one.get("path", "")) for one in finding.get("places") or ())
        shown = ", ".join(inline_code(path) for path in list(paths)[:_MOST])
        lines.append(f"- {prose(str(finding.get('because', '')))} {shown}".rstrip())
    return "\n".join(lines)


def _item(remark: Remark, *, detailed: bool) -> str:
    place = inline_code(remark.path + (f":{remark.line}" if remark.line else "")) if remark.path else ""
    subject = inline_code(remark.subject) if remark.gate == "tests" and remark.subject else ""
    lead = subject or place
    said = f"- {lead + ' ' if lead else ''}{prose(remark.message)} ({inline_code(remark.rule)})"
    if not (detailed and remark.gate != "policy" and remark.detail.strip()):
        return said
    block = fenced(remark.detail, limit=_DETAIL).replace("\n", "\n  ")
    return f"{said}\n\n  {block}\n"


def _advice(report: MergeReport) -> str:
    """What to do next, unless it is about the run's own folder, which the reader of this does not have."""
    advice = report.run.advice.partition("\n")[0]
    return f"**What to do:** {prose(advice)}" if advice and report.run.run not in advice else ""


def _fitting(sections: list[str], limit: int) -> str:
    text = ""
    for section in sections:
        if not section:
            continue
        longer = f"{text}\n\n{section}" if text else section
        if len(longer) + len(_CUT) > limit:
            return text + _CUT
        text = longer
    return text + "\n"
