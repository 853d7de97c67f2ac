"""What is heard of a supervisor: whether the program ran, how it ended, and when nothing of it is left.

The lines and who says them: `supervision`, the script's side. The end of the pipe says something too: only the outer
process and the supervisor hold it, so when both have ended nothing more can come, whatever was said.
"""

from __future__ import annotations

import os
import select
import time

from dev_agent.sandbox.pipe import Pipe

_GONE_WITHIN_S = 60.0
# From the supervisor's last word to its end: no longer, because a process forked meanwhile may hold the pipe as well.
_ENDED_WITHIN_S = 1.0


class Supervised:
    """What a supervisor says on its pipe, which stays the caller's to close."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._said = bytearray()
        self._ended = False

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
        """Wait, once the outer process has ended, until nothing of the program is left; False if it does not go.

        The supervisor has ended then as well. If it did so without a word, nobody knows what is left: False at once.
        """
        self._pipe.let_go()
        self._listen(_ENDED_WITHIN_S, until=b"up")
        if b"up" not in self._lines():
            # There is no supervisor, or it sees that the outer process is gone before it starts anything.
            return True
        self._listen(_GONE_WITHIN_S, until=b"gone")
        if b"gone" not in self._lines():
            return False
        self._listen(_ENDED_WITHIN_S)
        return True

    def _listen(self, seconds: float, until: bytes | None = None) -> None:
        """Read until the line `until` came, the pipe ended, or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not self._ended and until not in self._lines() and (left := deadline - time.monotonic()) > 0:
            if select.select([self._pipe.reading], [], [], left)[0]:
                data = os.read(self._pipe.reading, 4096)
                self.add(data)
                self._ended = not data

    def _lines(self) -> list[bytes]:
        # What follows the last line end is a line that is still coming.
        return bytes(self._said).split(b"\n")[:-1]

    def _value(self, name: bytes) -> bytes:
        return next((line[len(name) :] for line in self._lines() if line.startswith(name)), b"")
