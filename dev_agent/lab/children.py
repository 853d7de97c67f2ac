"""Forks of this process: to be killed somewhere, or to race each other; a switched-off defence is off in them too."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from functools import partial


def in_child(work: Callable[[], object]) -> int:
    """Do `work` in a fork and return its wait status (0: it ended well)."""
    return os.waitpid(_started(work), 0)[1]


def at_once(works: Sequence[Callable[[Callable[[], None]], object]]) -> list[int]:
    """Do all of `works` in a fork each and return their wait statuses.

    Each is given a meeting point: calling it returns when every other has called it too, or has ended.
    """
    came, coming = os.pipe()
    going, go = os.pipe()

    def meet() -> None:
        os.write(coming, b".")
        os.close(coming)
        os.read(going, 1)

    def work_on(work: Callable[[Callable[[], None]], object]) -> None:
        os.close(go)
        work(meet)

    children = [_started(partial(work_on, work)) for work in works]
    os.close(coming)
    while os.read(came, 1):
        pass  # until no child has the pipe open: each has met the others, or is gone
    os.close(go)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    os.close(came)
    os.close(going)
    return statuses


def _started(work: Callable[[], object]) -> int:
    with warnings.catch_warnings():
        # Newer Pythons warn of forking with threads about; the child takes no lock another thread may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child must never return into its parent's work
            os._exit(9)
        os._exit(0)
    return child
