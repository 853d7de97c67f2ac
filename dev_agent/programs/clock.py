"""The system's clock and the ids made from it: the one place where a run reads the time."""

from __future__ import annotations

import secrets
import time


class SystemClock:
    """Wall time and a monotonic counter, as the runtime wants them."""

    def __init__(self) -> None:
        # The second and the millisecond asked for last, with their texts: events come many to either.
        self._second = (-1, "")
        self._latest = (-1, "")

    def now(self) -> str:
        """RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T10:00:00.123Z`."""
        ms = time.time_ns() // 1_000_000
        latest = self._latest
        if ms == latest[0]:
            return latest[1]
        text = f"{self._second_of(ms // 1_000)}.{ms % 1_000:03d}Z"
        self._latest = (ms, text)
        return text

    def _second_of(self, second: int) -> str:
        known, text = self._second
        if second != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return text

    def monotonic_ms(self) -> int:
        """Milliseconds that never go backwards."""
        return time.monotonic_ns() // 1_000_000


def new_run_id(now: str) -> str:
    """A run id that sorts by time, to the millisecond: `20261122-100000123-1f3a9c2b`."""
    day, _, rest = now.partition("T")
    return f"{day.replace('-', '')}-{rest[:12].replace(':', '').replace('.', '')}-{secrets.token_hex(4)}"
