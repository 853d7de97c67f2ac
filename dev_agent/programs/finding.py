"""One topic the doctor looked at, and how it is."""

from __future__ import annotations

from dev_agent.values import dataclass

OK, WARN, LACK = "ok", "warn", "lack"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One topic: `status` is "ok", "warn" or "lack" (a run would be refused); `remedy` is empty if ok."""

    topic: str
    status: str
    detail: str
    remedy: str = ""
