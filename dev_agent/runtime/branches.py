"""Running the branches of a parallel state: in threads, bounded, all joined, in an order that repeats.

Whatever finishes first, results come back in declared order, and what a branch records is kept in its own
buffer until then; so two runs of the same program write the same trace. A branch that fails does not stop
the others and takes nothing away from their record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from dev_agent.runtime.actions import Record
from dev_agent.runtime.attempt import Attempt, failed
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.host import Cancel


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
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                cancel.request()
                continue
            for future in done:
                index = pending.pop(future)
                attempts[index] = future.result()
                ended(index, attempts[index])
    return [attempts[index] for index in range(len(jobs))]


def _submitted(pool: ThreadPoolExecutor, job: Callable[[], Attempt]) -> Future[Attempt]:
    try:
        return pool.submit(job)
    except RuntimeError as error:  # the system gives no more threads
        refused: Future[Attempt] = Future()
        refused.set_result(failed("NotStarted", str(error)))
        return refused
