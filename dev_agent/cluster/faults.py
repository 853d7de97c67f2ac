"""What a setback costs: asking again, asking somebody else, or giving up. Pure.

    the scheduler was lost             ask again once there is one; a few times
    the answer was lost                ask again, once
    a worker fell silent, is too slow,
      has a trouble, or says nonsense  ask another one, once
    workers died of the job            give up: the engine has tried it on others already
    nobody is there to ask             give up

So whatever becomes of a cluster, a question is asked a bounded number of times. What is given up is infrastructure: a
verdict of `error`, whose reason says what it was, and never one about the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from dev_agent.cluster.answer import TroubleKind
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.gates.judge import Question

_MOST_SCHEDULERS = 3
_DOCS = "docs/cluster.md says what a worker needs"


class Loss(StrEnum):
    """How an answer can fail to come."""

    KILLED = "killed"
    """One worker after the other died of it."""
    SILENT = "silent"
    SLOW = "slow"
    SCHEDULER = "scheduler"
    NOBODY = "no_workers"
    LOST = "lost"
    LINE = "line"
    """It has not begun where it was put; asked again before anybody counts it."""
    NONSENSE = "answer"
    """What came is not an answer to this question."""
    FORGETFUL = "storage"
    """The worker does not keep what it is sent."""


class Next(StrEnum):
    """What to do about a setback."""

    AGAIN = "again"
    ELSEWHERE = "elsewhere"
    GIVE_UP = "give_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setback:
    """One time an answer did not come. `worker` is its address, "" if that does not matter."""

    kind: Loss | TroubleKind
    said: str
    hint: str = ""
    worker: str = ""


_AGAIN = frozenset({Loss.SCHEDULER, Loss.LOST, TroubleKind.CANCELLED})
_NEVER = frozenset({Loss.KILLED, Loss.NOBODY})


def next_after(setbacks: Sequence[Setback]) -> Next:
    """What to do after the last of all setbacks that one question has had."""
    *before, last = setbacks
    if last.kind in _NEVER:
        return Next.GIVE_UP
    if last.kind is Loss.SCHEDULER:
        had = sum(one.kind is Loss.SCHEDULER for one in before)
        return Next.AGAIN if had < _MOST_SCHEDULERS else Next.GIVE_UP
    if any(one.kind is not Loss.SCHEDULER for one in before):
        return Next.GIVE_UP
    return Next.AGAIN if last.kind in _AGAIN else Next.ELSEWHERE


def unjudged(question: Question, environment: str, setbacks: Sequence[Setback]) -> Verdict:
    """The verdict on what could not be judged: `error`, with everything that was in the way."""
    last = setbacks[-1]
    subject = question.subject
    return Verdict(
        gate=question.gate.value,
        result=GateResult.ERROR,
        reason=f"judge_{last.kind.value}",
        tree=subject.tree,
        base_tree=subject.base_tree,
        environment=environment,
        notes=tuple(_words(one) for one in setbacks),
        hint=f"{last.said}: {last.hint or _DOCS}",
    )


def _words(setback: Setback) -> str:
    return f"{setback.said} ({setback.worker})" if setback.worker else setback.said
