"""The system's clock and the ids made from it: the one place where a run reads the time."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall time and a monotonic counter, as the runtime wants them."""

    def now(self) -> str:
        """RFC 3339 in UTC with milliseconds, e.g. `2026-11-22T10:00:00.123Z`."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic_ms(self) -> int:
        """Milliseconds that never go backwards."""
        return time.monotonic_ns() // 1_000_000


def new_run_id(now: str) -> str:
    """A run id that sorts by time, to the millisecond: `20261122-100000123-1f3a9c2b`."""
    day, _, rest = now.partition("T")
    return f"{day.replace('-', '')}-{rest[:12].replace(':', '').replace('.', '')}-{secrets.token_hex(4)}"
