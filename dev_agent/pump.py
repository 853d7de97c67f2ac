"""Moves bytes between the pipes of a child and what gives or takes them, waiting for whatever is ready first.

Which child, how long, and what ends it is `process.py`'s; no process is started here or ended. All descriptors given
are made non-blocking and stay their owner's to close, but for the stream that is fed, which is closed when all is
written or nobody reads any more.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable, Iterator, Sequence
from typing import IO

_CHUNK = 65_536
Reader = tuple[int, Callable[[bytes], None]]
"""A descriptor to read, and what takes what was read."""


class Pump:
    """The open pipes of one child; made by `pumping`."""

    def __init__(self, selector: selectors.BaseSelector, noticing: int) -> None:
        self._selector, self._noticing = selector, noticing

    @property
    def open(self) -> bool:
        """True while a pipe has not come to its end."""
        return len(self._selector.get_map()) > self._noticing

    def wait(self, wait_s: float) -> bool:
        """Serve what is ready, after at most `wait_s`; False at once if there is nothing to be woken by."""
        if not self._selector.get_map():
            return False
        for key, _ in self._selector.select(wait_s):
            _serve(self._selector, key)
        return True

    def drain(self) -> bool:
        """Serve whatever is ready without waiting; True if any bytes came."""
        moved = False
        for key, _ in self._selector.select(0):
            moved = _serve(self._selector, key) or moved
        return moved


@contextlib.contextmanager
def pumping(pid: int, readers: Sequence[Reader], stdin: IO[bytes] | None, data: bytes) -> Iterator[Pump]:
    """Inside, the pump serves `readers` and feeds `data` to `stdin`; the end of child `pid` wakes it too."""
    with selectors.DefaultSelector() as selector, _noticed_end(selector, pid) as noticing:
        for fd, take in readers:
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ, take)
        if stdin:
            os.set_blocking(stdin.fileno(), False)
            selector.register(stdin.fileno(), selectors.EVENT_WRITE, _Feeder(stdin, data))
        yield Pump(selector, noticing)


@contextlib.contextmanager
def _noticed_end(selector: selectors.BaseSelector, pid: int) -> Iterator[int]:
    """Inside, the end of the child wakes the selector; how many of its descriptors are for that (0 or 1).

    A pipe of ours may stay open behind a child that has ended: without this each would be waited for to the end of
    a tick.
    """
    try:
        ending = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield 0
        return
    try:
        selector.register(ending, selectors.EVENT_READ, None)
        yield 1
    finally:
        os.close(ending)


class _Feeder:
    """Writes what is left of stdin whenever the pipe takes it, then closes."""

    def __init__(self, stream: IO[bytes], data: bytes) -> None:
        self._stream = stream
        self._left = memoryview(data)

    def push(self) -> bool:
        """True when finished (all written, or nobody reads any more)."""
        try:
            written = os.write(self._stream.fileno(), self._left[:_CHUNK])
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._left = self._left[:0]
        else:
            self._left = self._left[written:]
        if self._left:
            return False
        with contextlib.suppress(OSError):
            self._stream.close()
        return True


def _serve(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
    """Serve one ready descriptor; True if bytes moved."""
    if key.data is None:
        return False  # the child has ended, which the loop asks for itself
    if isinstance(key.data, _Feeder):
        fd = key.fd
        if key.data.push():
            selector.unregister(fd)
        return False
    try:
        data = os.read(key.fd, _CHUNK)
    except BlockingIOError:
        return False
    if not data:
        selector.unregister(key.fd)
        return False
    key.data(data)
    return True
