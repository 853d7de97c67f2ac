"""A signal that nothing wakes the main thread for is heeded all the same, whatever it waits for."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from dev_agent.cancel import Cancel
from dev_agent.runtime.attempt import Attempt, failed
from dev_agent.runtime.branches import run_all
from dev_agent.runtime.waits import ended_of, next_of
from tests.testing.children import heeds_a_signal_it_is_not_woken_by


def test_while_an_answer_is_waited_for() -> None:
    assert heeds_a_signal_it_is_not_woken_by(lambda _cancel: next_of(queue.SimpleQueue[int]()))


def test_while_branches_work_and_they_are_asked_to_stop() -> None:
    def branch(cancel: Cancel) -> Attempt:
        while not cancel.requested:
            time.sleep(0.01)
        return failed("Stopped", "")

    def work(cancel: Cancel) -> None:
        job = lambda: branch(cancel)  # noqa: E731 - two of the same
        attempts = run_all([job, job], workers=2, cancel=cancel, ended=lambda _index, _attempt: None)
        assert len(attempts) == 2

    assert heeds_a_signal_it_is_not_woken_by(work)


def test_what_has_ended_is_told_when_the_first_one_has_and_of_none_at_once() -> None:
    go_on = threading.Event()
    with ThreadPoolExecutor(max_workers=2) as pool:
        quick: Future[object] = pool.submit(int)
        slow: Future[object] = pool.submit(go_on.wait)
        futures: list[Future[object]] = [quick, slow]
        assert ended_of(futures) == {quick}
        go_on.set()
        assert ended_of([slow]) == {slow}
    nothing: list[Future[object]] = []
    assert ended_of(nothing) == set()
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    answers.put(3)
    assert next_of(answers) == 3
