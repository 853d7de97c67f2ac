"""Work done in a forked child: to be killed there, or to give up rights there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable


def in_child(work: Callable[[], object]) -> int:
    """Do `work` in a fork of this process and return its wait status (0: it ended well)."""
    with warnings.catch_warnings():
        # Newer Pythons warn of forking with threads about; this child takes no lock another thread may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child must never return into the test runner
            os._exit(9)
        os._exit(0)
    return os.waitpid(child, 0)[1]
