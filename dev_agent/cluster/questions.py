"""A job's question, put to the gates of this worker, and what in their verdicts was said by the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Trouble, TroubleKind
from dev_agent.cluster.job import Job
from dev_agent.cluster.troubles import FULL, cancelled, no_space
from dev_agent.gates.gates import Gates
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import GateResult, Verdict


def verdicts_of(gates: Gates, job: Job, cancel: Cancel) -> tuple[Verdict, ...]:
    """Ask the gates what the job asks; the verdicts are as the asker's own gates would say them."""
    return tuple(_as_asked(job, one) for one in _judged(gates, job, cancel))


def _judged(gates: Gates, job: Job, cancel: Cancel) -> tuple[Verdict, ...]:
    subject = Subject(base_tree=job.base_tree, tree=job.tree, changed=job.changed)
    match job.gate:
        case "types":
            return (gates.judge_types(subject, cancel),)
        case "tests":
            return (gates.judge_tests(subject, cancel),)
        case "reproduction":
            return (gates.judge_reproduction(subject, cancel),)
        case _:
            return gates.judge_each_check(subject, cancel)


def _as_asked(job: Job, verdict: Verdict) -> Verdict:
    """The verdict under the asker's own digest; nothing about another tree leaves here."""
    if (verdict.tree, verdict.base_tree) != (job.tree, job.base_tree):
        raise AssertionError("BUG: a verdict about other trees than were asked for")
    return replace(verdict, environment=job.project)


def trouble_in(verdicts: Sequence[Verdict], job: Job) -> Trouble | None:
    """Return what the machine said in place of a gate, None if gates spoke."""
    for one in verdicts:
        said = " ".join((one.hint, *one.notes))
        if one.result is GateResult.ERROR and one.reason == "cancelled":
            return cancelled(job.digest)
        if one.result is GateResult.ERROR and any(full in said for full in FULL):
            return no_space(job.digest, said)
        if one.result is GateResult.ERROR and one.reason == "unavailable":
            return Trouble(job=job.digest, kind=TroubleKind.UNCONFINED, message=said[:2000])
    return None
