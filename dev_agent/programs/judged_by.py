"""Who judged, in the trace and out of it: beside the verdicts, which are the same whoever found them.

    types … checks, reproduce:   judged_by {worker, address, environment, confinement, ms}
    candidate:                   judged_by {GATE: the same}

Absent for what was judged here. Names and addresses are a worker's own words: bounded here, escaped where they are
shown. Pure, and lenient about traces of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.programs.paths import recordable
from dev_agent.runtime.canonical import thaw

if TYPE_CHECKING:
    from dev_agent.gates.judge import GateName, JudgedBy, Judgement

JUDGED_BY = "judged_by"
_LONGEST = 200


def judged_by(judgement: Judgement) -> dict[str, Any]:
    """What the event of a gate says of it."""
    return {} if judgement.by is None else {JUDGED_BY: _bounded(judgement.by).to_json()}


def candidate_judged_by(by: Iterable[tuple[GateName, JudgedBy]]) -> dict[str, Any]:
    """What the event of a candidate says of it, by gate."""
    told = {gate.value: _bounded(one).to_json() for gate, one in by}
    return {JUDGED_BY: told} if told else {}


def said_by(branch: Mapping[str, Any]) -> dict[str, Any]:
    """Who judged, as recorded, to be put beside what is made of a gate's facts; empty if it was this machine."""
    known = branch.get(JUDGED_BY)
    if not isinstance(known, Mapping) or not isinstance(known.get("worker"), str):
        return {}
    return {JUDGED_BY: thaw(known)}


def _bounded(by: JudgedBy) -> JudgedBy:
    return replace(
        by,
        worker=recordable(by.worker)[:_LONGEST],
        address=recordable(by.address)[:_LONGEST],
        confinement=recordable(by.confinement)[:_LONGEST],
    )
