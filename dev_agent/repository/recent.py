"""What was found out last, up to a size: for answers that stay true for ever, or that their reader checks again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `most` of whatever `size` counts; what was not asked for longest goes first. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._known: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """What is known of `key`, None if nothing is."""
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            self._known.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, *, size: int = 1) -> None:
        """Remember `value`; what is too large for the room there is alone is not."""
        if size > self._most:
            return
        with self._lock:
            self._forget(key)
            while size > self._left:
                self._forget(next(iter(self._known)))
            self._known[key] = (value, size)
            self._left -= size

    def _forget(self, key: K) -> None:
        found = self._known.pop(key, None)
        self._left += found[1] if found else 0
