"""What is heard of a supervisor: whether the program ran, how it ended, and when nothing of it is left.

The lines and who says them: `supervision`, the script's side.
"""

from __future__ import annotations

import os
import select
import time

_GONE_WITHIN_S = 60.0


class Supervised:
    """What a supervisor says on its pipe; `reading` is the end to read from, and stays the caller's to close."""

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._said = bytearray()

    def add(self, data: bytes) -> None:
        """Take what was read; a line may come in pieces."""
        self._said += data

    @property
    def code(self) -> int | None:
        """How the program ended, None if it was never run or was not let end."""
        value = self._value(b"ended ")
        return int(value) if value else None

    @property
    def never(self) -> str:
        """Why the program was not run, "" if it was."""
        return self._value(b"never ").decode(errors="replace")

    def everything_is_gone(self) -> bool:
        """Wait, once the outer process has ended, until nothing of the program is left; False if it does not go."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        self._read(0)
        # Without "up" there is no supervisor that would ever start a job.
        while b"up" in self._lines() and b"gone" not in self._lines():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._read(left)
        return True

    def _read(self, seconds: float) -> None:
        if select.select([self._reading], [], [], seconds)[0]:
            self.add(os.read(self._reading, 4096))

    def _lines(self) -> list[bytes]:
        # What follows the last line end is a line that is still coming.
        return bytes(self._said).split(b"\n")[:-1]

    def _value(self, name: bytes) -> bytes:
        return next((line[len(name) :] for line in self._lines() if line.startswith(name)), b"")
