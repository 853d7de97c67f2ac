"""Output with a cap: a flood costs bounded memory, and its beginning and end are kept."""

from __future__ import annotations

from collections import deque


class Capped:
    """Keeps the first and the last half of a byte budget, and says if anything between was dropped."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take more of the output."""
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if not data:
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._half:
            gone = self._tail.popleft()
            self._tail_size -= len(gone)
            self._dropped += len(gone)

    def value(self) -> bytes:
        """Return what is kept, with a line about what is not."""
        tail = b"".join(self._tail)
        cut = max(len(tail) - self._half, 0)
        dropped = self._dropped + cut
        if not dropped:
            return bytes(self._head) + tail
        return bytes(self._head) + b"\n[... %d bytes left out ...]\n" % dropped + tail[cut:]

    @property
    def truncated(self) -> bool:
        """True if anything was left out."""
        return self._dropped > 0 or self._tail_size > self._half
