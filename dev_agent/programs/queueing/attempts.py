"""Judgements that run side by side, each in a thread of its own, and their answers in the order they come.

A judgement is a run of the program `premerge` with everything a run has: slots, sandbox, trace, receipt. A thread
touches neither the queue's state nor its trace. Cancelling asks the run to stop; its answer is thrown away.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.cancel import Cancel
from dev_agent.errors import DevAgentError
from dev_agent.gates.judge import LOCAL
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.paths import recordable
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.queueing.events import Judged
from dev_agent.programs.queueing.model import Verdict
from dev_agent.programs.report import Outcome
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.waits import next_of
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.gates.judge import Judge as Answers
    from dev_agent.programs.merge_report import MergeReport
    from dev_agent.programs.queueing.commands import Judge
    from dev_agent.repository.discovery import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """The caller's words about how merges are judged; they mean what they mean to `premerge`."""

    policy: str | None = None
    sandbox: str = "auto"
    profile: str | None = None


@dataclass(kw_only=True)
class Attempts:
    """The judgements under way. All of them ask one `answered_by`."""

    repository: Repository
    how: How
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    answered_by: Answers = LOCAL
    _cancels: dict[int, Cancel] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _answers: queue.SimpleQueue[Judged | BaseException] = field(default_factory=queue.SimpleQueue)

    def begin(self, order: Judge) -> None:
        """Judge what was ordered, beside whatever else is being judged."""
        cancel = Cancel()
        self._cancels[order.attempt] = cancel
        thread = threading.Thread(target=self._work, args=(order, cancel), name=f"attempt-{order.attempt}")
        self._threads.append(thread)
        thread.start()

    def cancel(self, attempt: int) -> None:
        """Nobody waits for this one any more."""
        known = self._cancels.pop(attempt, None)
        if known is not None:
            known.request()

    def next(self) -> Judged | None:
        """The next answer, waited for; None if it is one that nobody wants. Raises what was our bug."""
        answer = next_of(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer if self._cancels.pop(answer.attempt, None) else None

    def close(self) -> None:
        """End everything and wait for it: no judgement outlives this."""
        for attempt in list(self._cancels):
            self.cancel(attempt)
        for thread in self._threads:
            thread.join()

    def _work(self, order: Judge, cancel: Cancel) -> None:
        try:
            self._answers.put(self._judge(order, cancel))
        except (DevAgentError, PolicyError, RuntimeFault) as error:
            self._answers.put(_judged(order, Verdict.UNKNOWN, recordable(str(error))))
        except KeyboardInterrupt:
            self._answers.put(_judged(order, Verdict.UNKNOWN, "it was stopped"))
        except BaseException as error:  # noqa: BLE001 - raised again where somebody listens
            self._answers.put(error)

    def _judge(self, order: Judge, cancel: Cancel) -> Judged:
        request = MergeRequest(
            base=order.parent,
            head=order.commit,
            as_is=True,
            fresh=order.fresh,
            policy=self.how.policy,
            sandbox=self.how.sandbox,
            profile=self.how.profile,
        )
        report = judge_merge(
            self.repository,
            request,
            environ=self.environ,
            reporter=Reporter(),
            cancel=cancel,
            judge=self.answered_by,
        )
        verdict, why = verdict_of(report, order)
        return _judged(order, verdict, why, run=report.run.run)


def verdict_of(report: MergeReport, order: Judge) -> tuple[Verdict, str]:
    """What a judgement means to the queue, and why in one sentence.

    Green is only what was verified as the commit that was ordered, on the parent that was ordered. What could not be
    judged is not red: nobody is put out for a full disk.
    """
    run = report.run
    why = recordable(run.explanation or run.reason or run.outcome.value)
    if run.outcome is Outcome.VERIFIED:
        if (run.commit, run.base) == (order.commit, order.parent) and not report.superseded:
            return Verdict.GREEN, ""
        raise AssertionError(f"BUG: run {run.run} is about another commit than was ordered")
    if run.outcome is Outcome.SUSPENDED:
        return Verdict.RED, f"policy asks a person, and a queue asks nobody: {why}"
    if run.outcome is Outcome.REJECTED and run.exit_code == 1:
        return Verdict.RED, why
    return Verdict.UNKNOWN, why


def _judged(order: Judge, verdict: Verdict, why: str, *, run: str = "") -> Judged:
    return Judged(
        attempt=order.attempt,
        commit=order.commit,
        parent=order.parent,
        verdict=verdict,
        reason=why,
        run=run,
    )
