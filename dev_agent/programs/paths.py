"""Repository paths, and words about them, as they are written into traces and receipts."""

from __future__ import annotations

from dev_agent.recorded_paths import Recorded, from_recorded, to_recorded

__all__ = ["Recorded", "from_recorded", "recordable", "to_recorded"]


def recordable(text: str) -> str:
    """Words as a trace can hold them: bytes that are no UTF-8 as visible escapes. Not to be read back as a path."""
    return text.encode("utf-8", "backslashreplace").decode()
