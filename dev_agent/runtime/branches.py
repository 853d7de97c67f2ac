"""Running the branches of a parallel state: in threads, bounded, all joined, in an order that repeats.

Whatever finishes first, results come back in declared order, and what a branch records is kept in its own
buffer until then; so two runs of the same program write the same trace. A branch that fails does not stop
the others and takes nothing away from their record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from dev_agent.runtime.actions import Record, added
from dev_agent.runtime.attempt import Attempt, failed
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.joins import joined
from dev_agent.runtime.states import State
from dev_agent.runtime.waits import ended_of
from dev_agent.runtime.written import written


class Buffer:
    """Keeps what one branch records until the branches join. May be filled from any thread."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._turn = threading.Lock()

    def record(self, record: Record) -> None:
        """Keep one event. Raises RuntimeFault for a durable one."""
        if record.durable:
            raise RuntimeFault(
                "a branch cannot record durably: its events wait for the join",
                "move the effect into an action state of its own",
            )
        with self._turn:
            self._records.append(record)

    @property
    def records(self) -> tuple[Record, ...]:
        """What was kept, in order."""
        with self._turn:
            return tuple(self._records)


def run_all(
    jobs: Sequence[Callable[[], Attempt]],
    *,
    workers: int,
    cancel: Cancel,
    ended: Callable[[int, Attempt], None],
) -> list[Attempt]:
    """Run every job to its end and return their attempts in the order of `jobs`.

    `ended(index, attempt)` is called on this thread as each one ends. An interruption asks the jobs to stop
    through `cancel` and then still waits for them: a thread left behind would go on acting after the run
    was told to be over.
    """
    attempts: dict[int, Attempt] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(len(jobs), workers))) as pool:
        pending = {_submitted(pool, job): index for index, job in enumerate(jobs)}
        while pending:
            try:
                done = ended_of(pending)
            except KeyboardInterrupt:
                cancel.request()
                continue
            for future in done:
                index = pending.pop(future)
                attempts[index] = future.result()
                ended(index, attempts[index])
    return [attempts[index] for index in range(len(jobs))]


def join_attempts(state: State, attempts: list[Attempt]) -> Attempt:
    """Return what the branches' attempts make of the state, by its join table."""
    outcome = joined(state.join, (attempt.outcome for attempt in attempts))
    if outcome is None:
        raise AssertionError("BUG: a proved join table is total")
    # The branches ran side by side, so the state took as long as the longest; what they spent adds up.
    longest = max(attempt.ms for attempt in attempts)
    return Attempt(outcome=outcome, content=written({}), ms=longest, cost=total_cost(attempts))


def outcomes_by_branch(state: State, attempts: list[Attempt]) -> dict[str, str]:
    """Return the outcome of each branch."""
    return {branch.name: attempt.outcome for branch, attempt in zip(state.branches, attempts, strict=True)}


def total_cost(attempts: Iterable[Attempt]) -> dict[str, int]:
    """Return what these attempts cost together."""
    total: dict[str, int] = {}
    for attempt in attempts:
        total = added(total, attempt.cost)
    return total


def _submitted(pool: ThreadPoolExecutor, job: Callable[[], Attempt]) -> Future[Attempt]:
    try:
        return pool.submit(job)
    except RuntimeError as error:  # the system gives no more threads
        refused: Future[Attempt] = Future()
        refused.set_result(failed("NotStarted", str(error)))
        return refused
