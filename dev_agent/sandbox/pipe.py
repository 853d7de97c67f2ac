"""A pipe from a job's side to ours."""

from __future__ import annotations

import fcntl
import os
from typing import Self

# The job's own descriptors are 3 and 4; everything that is only passing through stays clear of them.
_LOWEST = 10


class Pipe:
    """Made when called, closed when its context ends; `writing` is the end to pass on.

    Raises OSError if there are no descriptors left.
    """

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        try:
            self.writing = lifted(writing)
        except BaseException:
            os.close(self.reading)
            raise

    def let_go(self) -> None:
        """Close our own copy of the writing end: what is read has an end only when nobody holds it any more."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.reading)
        self.let_go()


def lifted(descriptor: int) -> int:
    """The same file under a number that can be passed on; `descriptor` itself is closed."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LOWEST)
    finally:
        os.close(descriptor)
