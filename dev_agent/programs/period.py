"""Spans of time as people write them: `7d`, `2026-11-01`, `2026-11-01..2026-11-08`, `30d..7d`.

A day alone means its first instant as a beginning and its last as an end. Everything is UTC, as traces are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.prune import parse_age
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.folders import RunFolder

_AGE = re.compile(r"\d+[a-z]")
_BETWEEN = ".."
_RUN = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(\d{3})-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From `since` to `until`, both within; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, folder: RunFolder) -> bool:
        """True if the run began in it, by its id. An id that tells no time is in the open period only."""
        if self.since is None and self.until is None:
            return True
        found = _RUN.match(folder.run)
        if not found:
            return False
        year, month, day, hour, minute, second, ms = map(int, found.groups())
        try:
            began = datetime(year, month, day, hour, minute, second, ms * 1000, tzinfo=UTC)
        except ValueError:
            return False
        return (self.since is None or began >= self.since) and (self.until is None or began <= self.until)


def is_period(text: str) -> bool:
    """True if the text is meant as SINCE..UNTIL, and not as the name of a run."""
    return _BETWEEN in text and "/" not in text


def period_of(text: str | None, *, now: datetime | None = None) -> Period:
    """Read SINCE or SINCE..UNTIL; either side may be empty. Raises UsageFault."""
    if not text:
        return Period()
    since, _, until = text.partition(_BETWEEN)
    instant = now or datetime.now(UTC)
    period = Period(
        since=_instant(since, instant, end=False) if since else None,
        until=_instant(until, instant, end=True) if until else None,
    )
    if period.since and period.until and period.since > period.until:
        raise UsageFault(f"{text!r} ends before it begins", hint="write the earlier side first")
    return period


def _instant(text: str, now: datetime, *, end: bool) -> datetime:
    if _AGE.fullmatch(text.strip()):
        try:
            return now - parse_age(text)
        except OverflowError:
            raise UsageFault(f"{text!r} is before all time", hint="say fewer, for example: 30d") from None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageFault(
            f"{text!r} is neither a date nor an age", hint="for example: 2026-11-01, or 12h, 7d, 8w"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if end and len(text.strip()) <= len("2026-11-01"):
        moment = datetime.combine(moment.date(), time.max, tzinfo=UTC)
    return moment
