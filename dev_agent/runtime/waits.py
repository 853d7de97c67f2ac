"""Waiting on the main thread for what other threads do, so that a signal always ends the wait.

A signal is handled between two steps of the main thread. One that comes after the last step before an endless wait, or
that the kernel gives to another thread, is handled only when the wait ends. So none here is endless: each is a row of
short ones.
"""

from __future__ import annotations

import queue
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

_T = TypeVar("_T")
_LOOK_S = 0.2


def next_of(answers: queue.SimpleQueue[_T]) -> _T:
    """The next answer, waited for. A handler of a signal may raise out of the wait."""
    while True:
        try:
            return answers.get(timeout=_LOOK_S)
        except queue.Empty:
            continue


def ended_of(futures: Collection[Future[_T]]) -> set[Future[_T]]:
    """Those that have ended once the first of them has. A handler of a signal may raise out of the wait."""
    while True:
        done = wait(futures, timeout=_LOOK_S, return_when=FIRST_COMPLETED).done
        if done or not futures:
            return done
