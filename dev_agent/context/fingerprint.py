"""One name for one way to fail: what stays the same when the same thing goes wrong again.

Taken out is what differs between two runs of the same failure: where temporary files lay, line numbers (every edit
above moves them), addresses, times, durations, process ids, random names. Left in is what tells two failures apart:
the gate, the test or the place, the kind of error, its words.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from dev_agent.context.verdicts import FailureLike, VerdictLike, is_bad

_LONGEST = 600
_RULES = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\x1b\[[0-9;]{0,20}[A-Za-z]", ""),
        (r"\b0x[0-9a-fA-F]{3,20}\b", "<address>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\b", "<time>"),
        (r"\b\d{1,9}(?:\.\d{1,9})? ?(?:ns|us|µs|ms|s|seconds?|minutes?)\b", "<duration>"),
        (r"(?:/private)?/(?:tmp|var/folders|var/tmp|dev/shm)/[\w./+~-]{1,300}", "<temporary>"),
        (r"\bpytest-\d{1,9}\b|\btmp[a-z0-9_]{6,12}\b", "<temporary>"),
        (r"(?<![\w.])/(?:[\w.+~-]{1,100}/){1,30}", "<folder>/"),
        (r"\bline \d{1,9}\b", "line <n>"),
        (r"(\.[A-Za-z]{1,5}):\d{1,9}(?::\d{1,9})?\b", r"\1:<n>"),
        (r"\b(pid|process|thread|port)([ =:#]{1,3})\d{1,9}\b", r"\1\2<n>"),
        (r"\b[0-9a-f]{32,64}\b", "<digest>"),
        (r"\s+", " "),
    )
)


def fingerprint(verdicts: Sequence[VerdictLike]) -> str:
    """The digest of all that fails, hex, whatever the order of gates and failures; "" if nothing fails."""
    rows = sorted({row for verdict in verdicts if is_bad(verdict) for row in _rows(verdict)})
    if not rows:
        return ""
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode("ascii")).hexdigest()


def normalised(text: str) -> str:
    """`text` without what differs from run to run; of a long one its beginning."""
    shown = text[:_LONGEST]
    for pattern, instead in _RULES:
        shown = pattern.sub(instead, shown)
    return shown.strip()


def key_of(failure: FailureLike) -> tuple[str, str, str]:
    """What makes two failures the same one."""
    return (normalised(failure.id), failure.code, normalised(failure.message))


def _rows(verdict: VerdictLike) -> list[tuple[str, ...]]:
    known = [(verdict.gate, verdict.reason, *key_of(one)) for one in verdict.new_failures]
    return [*known] or [(verdict.gate, verdict.reason, normalised(verdict.hint))]
