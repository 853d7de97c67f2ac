"""A judged merge as JUnit XML, for whatever shows test results. Pure; the same report gives the same bytes.

The form is the one Jenkins and GitLab read (`testsuites/testsuite/testcase` with `failure`, `error` or `skipped`). A
suite is a gate; its cases are what newly fails, and one for the gate itself, so that a green gate shows too. XML cannot
hold most control characters in any escape, so what does not show becomes its visible escape first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

# Only builds elements and writes them; nothing is parsed.
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dev_agent.forges.reports.remarks import Remark, Weight, remarks_of
from dev_agent.forges.reports.verdict import conclusion_of
from dev_agent.forges.text import cut
from dev_agent.visible import escape_line, escape_lines

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

_LONGEST = 10_000
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def junit_of(report: MergeReport) -> bytes:
    """The file: one suite for the merge with policy, one for each gate."""
    remarks = [one for one in remarks_of(report) if one.weight is not Weight.NOTE]
    top = Element("testsuites", name="dev-agent premerge")
    gates = {str(one.get("name", "")): one for one in report.run.gates}
    ours = [one for one in remarks if one.gate not in gates]
    if not report.passed and not any(one.weight is Weight.FAILURE for one in remarks):
        # Nothing red to name, and not good all the same: such a file must not look green.
        said = conclusion_of(report).text
        ours.append(Remark(gate="premerge", rule="premerge/error", weight=Weight.FAILURE, message=said))
    own = f"merge and policy: {report.run.outcome.value}"
    _suite(top, "premerge", ours, own=own, verdict=None, ms=0)
    for name, gate in gates.items():
        _suite(
            top,
            name,
            [one for one in remarks if one.gate == name],
            own=f"{name}: {gate.get('verdict', '')}",
            verdict=gate,
            ms=int(gate.get("ms") or 0),
        )
    for total in ("tests", "failures", "errors", "skipped"):
        top.set(total, str(sum(int(suite.get(total, "0")) for suite in top)))
    indent(top)
    return f"{_DECLARATION}{tostring(top, encoding='unicode')}\n".encode()


def _suite(
    top: Element, name: str, remarks: list[Remark], *, own: str, verdict: Mapping[str, Any] | None, ms: int
) -> None:
    suite = SubElement(top, "testsuite", name=_line(name), time=f"{ms / 1000:.3f}")
    result = str(verdict.get("verdict", "")) if verdict else ""
    for remark in remarks:
        _case(suite, name, remark)
    if not remarks:
        case = SubElement(suite, "testcase", classname=_line(name), name=_line(own))
        if result == "skipped":
            SubElement(case, "skipped", message="switched off, or nothing to judge")
        elif result == "failed":
            SubElement(case, "failure", message=_line(str((verdict or {}).get("reason", "failed"))))
    suite.set("tests", str(len(suite)))
    for total, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(total, str(len(suite.findall(f"testcase/{tag}"))))


def _case(suite: Element, gate: str, remark: Remark) -> None:
    shown = remark.subject or remark.path or remark.rule
    case = SubElement(suite, "testcase", classname=_line(gate), name=_line(shown))
    if remark.path:
        case.set("file", _line(remark.path))
    if remark.line is not None:
        case.set("line", str(remark.line))
    tag = "error" if remark.rule.endswith("/error") else "failure"
    said = SubElement(case, tag, message=_line(remark.message), type=_line(remark.rule))
    said.text = cut("\n".join(escape_lines(remark.detail)), _LONGEST)


def _line(text: str) -> str:
    return cut(escape_line(text), _LONGEST)
