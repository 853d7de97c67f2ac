"""Whether what the gates stand on is as it was when they were prepared, looked at no oftener than answers something.

A look is a walk over every file beside the repository. What a gate found out comes of the programs that had ended by
then: a look begun after the last of them answers for all of it, and one more says nothing new until another has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Ground:
    """Asks `look` (True: as it was) once after every program that ended. Safe to use in threads."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._counting, self._looking = Lock(), Lock()
        self._ended = 0
        self._seen: tuple[int, bool] | None = None

    def program_ended(self) -> None:
        """What it found out is to be answered for by a look that begins from now on."""
        with self._counting:
            self._ended += 1

    def holds(self) -> bool:
        """True if nothing was installed or written there before the last program ended."""
        with self._looking:
            with self._counting:
                # Before the look: a program that ends during it may have seen what it missed.
                ended = self._ended
            if self._seen is None or self._seen[0] != ended:
                self._seen = (ended, self._look())
            return self._seen[1]
