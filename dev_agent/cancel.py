"""One object that says "stop": asked by whoever waits, set by a signal or a caller.

Rules: a request is never lost; inside `shielded()` it is only remembered, so that a critical section is
left by its own door. `install_signal_handlers` and `signals_interrupt` are for the outermost edge (the command line)
only.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Cancel:
    """A cancellation request that threads can wait on and critical sections can hold off."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._shields = 0
        self._pending = False

    @property
    def requested(self) -> bool:
        """True once somebody asked to stop (also while shielded)."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask to stop. Safe from any thread and from a signal handler."""
        self._event.set()

    def check(self) -> None:
        """Raise KeyboardInterrupt if a stop was asked for and no shield is up."""
        if self._event.is_set() and self._shields == 0:
            raise KeyboardInterrupt

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold signals off while inside; a request made meanwhile is raised on leaving normally.

        Only the main thread runs Python signal handlers, so the counter needs no lock.
        """
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._pending and self._shields == 0:
            self._pending = False
            raise KeyboardInterrupt

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Signal handler: remember the request; interrupt the main thread unless shielded."""
        self._event.set()
        if self._shields:
            self._pending = True
            return
        raise KeyboardInterrupt

    def install_signal_handlers(self) -> None:
        """Route SIGINT, SIGTERM and SIGHUP here, but those the caller has us ignore (`nohup`) stay ignored.

        Call from the main thread of a command only.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.on_signal)


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, if nobody has taken or ignored them yet.

    For the time before a command can listen itself: a long import ends by its words and exit code too. Outside of
    the main thread it does nothing.
    """
    taken = (
        [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
        if threading.current_thread() is threading.main_thread()
        else []
    )
    for number in taken:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
