"""Everything that is wrong with a judged merge, each with its place: what all forms of a report are made of. Pure.

Texts are as they came and untrusted; every form encodes them for itself. Lines are those of the merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

_POLICY = "policy"
_MERGE = "merge"


class Weight(StrEnum):
    """How much a remark counts: what fails the merge, what a person has to see, what is only noted."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTE = "note"


_OF_VERDICT = {"deny": Weight.FAILURE, "ask": Weight.WARNING, "allow": Weight.NOTE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """One thing: which gate says it under which rule, in which words, and where (`path` may be empty, `line` None)."""

    gate: str
    rule: str
    weight: Weight
    message: str
    path: str = ""
    line: int | None = None
    detail: str = ""
    subject: str = ""


def remarks_of(report: MergeReport) -> tuple[Remark, ...]:
    """All remarks: conflicts, policy's findings, what newly fails, and gates that learned nothing."""
    return (*_conflicts(report), *_findings(report), *_failures(report))


def _conflicts(report: MergeReport) -> Iterator[Remark]:
    for path in report.conflicts:
        yield Remark(
            gate=_MERGE,
            rule="merge/conflict",
            weight=Weight.FAILURE,
            message="base and head both changed this file, and the changes conflict",
            path=path,
        )


def _findings(report: MergeReport) -> Iterator[Remark]:
    for finding in report.run.policy.get("findings") or ():
        rule = str(finding.get("rule", ""))
        weight = _OF_VERDICT.get(str(finding.get("verdict")), Weight.FAILURE)
        if weight is Weight.NOTE and finding not in report.own_judge:
            continue  # what policy allows needs no remark, but for what judges this project
        places: Sequence[Mapping[str, Any]] = finding.get("places") or [{}]
        for place in places:
            line = place.get("line")
            yield Remark(
                gate=_POLICY,
                rule=f"policy/{rule}",
                weight=weight,
                message=str(finding.get("because", "")),
                path=str(place.get("path", "")),
                line=line if isinstance(line, int) else None,
                detail=str(place.get("text", "")),
            )


def _failures(report: MergeReport) -> Iterator[Remark]:
    for gate in report.run.gates:
        name = str(gate.get("name", ""))
        for failure in gate.get("new_failures") or ():
            yield _failure(name, failure if isinstance(failure, Mapping) else {"id": failure})
        if gate.get("verdict") == "error":
            notes = [str(note) for note in (*(gate.get("notes") or ()), gate.get("hint") or "") if note]
            yield Remark(
                gate=name,
                rule=f"{name}/error",
                weight=Weight.FAILURE,
                message=f"{name} could not be judged: {gate.get('reason') or 'it gave no verdict'}",
                detail="\n".join(notes),
            )


def _failure(gate: str, failure: Mapping[str, Any]) -> Remark:
    identity, code = str(failure.get("id", "")), str(failure.get("code", ""))
    line = failure.get("line")
    return Remark(
        gate=gate,
        rule=f"{gate}/{code or 'failed'}",
        weight=Weight.FAILURE,
        message=str(failure.get("message", "")) or identity or "failed",
        path=str(failure.get("path", "")),
        line=line if isinstance(line, int) and line > 0 else None,
        detail=str(failure.get("detail", "")),
        subject=identity,
    )
